import pandas as pd
import pytest

from conditioned_synthesis.labels.table import read_labelled
from texturelib.errors import TextureError


@pytest.mark.parametrize("label", ["inf", "-inf"])
def test_a_label_that_is_not_a_finite_number_is_named_with_its_file_and_row(labelled, label, spoil):
    spoil(labelled, 5, "radius", label)
    # Row 5 counted from 0 is line 7 of the file: the first line has the names.
    with pytest.raises(
        TextureError, match=rf"labels/metadata\.csv: row 7: radius is {label}, not a finite number"
    ):
        read_labelled(labelled)


def test_a_label_that_is_missing_is_named_with_its_file_and_row(labelled, spoil):
    spoil(labelled, 5, "radius", None)
    with pytest.raises(TextureError, match=r"labels/metadata\.csv: row 7: radius is empty"):
        read_labelled(labelled)


def test_a_label_that_is_text_is_named_with_its_file(labelled, spoil):
    spoil(labelled, 5, "radius", "loud")
    with pytest.raises(TextureError, match=r"labels/metadata\.csv: .*radius"):
        read_labelled(labelled)


def test_a_file_that_stands_in_two_rows_is_named(labelled, spoil):
    spoil(labelled, 3, "file_name", "audio/river_0.wav")
    with pytest.raises(TextureError, match=r"row 5: audio/river_0\.wav stands there a second time"):
        read_labelled(labelled)


@pytest.mark.parametrize("name", ["../river.wav", "audio/../../river.wav", "/river.wav"])
def test_a_file_name_that_leads_out_of_the_folder_is_refused(labelled, name, spoil):
    spoil(labelled, 0, "file_name", name)
    with pytest.raises(TextureError, match=r"row 2: .* is not inside the dataset's folder"):
        read_labelled(labelled)


def test_a_table_without_rows_is_refused(labelled):
    pd.read_csv(labelled / "metadata.csv").head(0).to_csv(labelled / "metadata.csv", index=False)
    with pytest.raises(TextureError, match=r"labels/metadata\.csv: holds no clips"):
        read_labelled(labelled)


def test_labels_beyond_0_to_1_are_kept_as_they_are(tmp_path, make_labelled):
    labels = read_labelled(make_labelled(tmp_path / "set", n_clips=10)).metadata
    assert labels["rate"].min() == -0.05
    assert labels["radius"].max() == 1.02

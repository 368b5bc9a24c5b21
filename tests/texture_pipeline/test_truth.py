"""Labels are compared with the controls of the recording that their clip was cut from."""

import numpy as np
import pandas as pd
import pytest

from texture_pipeline.truth import hidden_truth
from texturelib.dataset import write_dataset
from texturelib.errors import TextureError


@pytest.fixture
def labels(tmp_path):
    """Three clips of two recordings, the first of which gave two, labelled with two controls."""
    folder = tmp_path / "labels"
    table = pd.DataFrame(
        {
            "file_name": ["audio/b_1.wav", "audio/a_1.wav", "audio/b_2.wav"],
            "rate": [0.5, 0.2, 0.7],
            "size": [0.1, 0.2, 0.3],
            "source": ["b.wav", "a.wav", "b.wav"],
        }
    )
    controls = [{"name": "rate"}, {"name": "size"}]
    write_dataset(folder, table, sample_rate=44100, seconds=1.0, controls=controls)
    before = pd.DataFrame(
        {"file_name": ["audio/a_1.wav", "audio/b_1.wav", "audio/b_2.wav"], "rate": [1.2, 0.0, 1.0]}
    )
    before.assign(size=0.5).to_csv(folder / "labels_before.csv", index=False)
    return folder


@pytest.fixture
def recordings(tmp_path):
    hidden = pd.DataFrame(
        {
            "file_name": ["a.wav", "b.wav", "unused.wav"],
            "rate": [0.2, 0.6, 0.9],
            "size": [0.0, 0.4, 0.9],
        }
    )
    hidden.to_csv(tmp_path / "hidden_controls.csv", index=False)
    return tmp_path


def test_each_clip_is_compared_with_its_own_recording(labels, recordings):
    compared = hidden_truth(labels, recordings)
    assert compared.controls == ["rate", "size"]
    np.testing.assert_allclose(compared.truth, [[0.6, 0.4], [0.2, 0.0], [0.6, 0.4]])
    np.testing.assert_allclose(compared.after, [[0.5, 0.1], [0.2, 0.2], [0.7, 0.3]])
    np.testing.assert_allclose(compared.before, [[0.0, 0.5], [1.2, 0.5], [1.0, 0.5]])


def test_errors_are_means_of_absolute_differences_and_then_over_the_controls(labels, recordings):
    rate, size, mean = hidden_truth(labels, recordings).errors()
    columns = ("before", "after", "always_the_mean")
    assert (rate["control"], size["control"], mean["control"]) == ("rate", "size", "mean")
    # |0 - 0.6|, |1.2 - 0.2|, |1 - 0.6|; |0.5 - 0.6|, 0, |0.7 - 0.6|; and from the true mean, 1.4 / 3
    assert [rate[column] for column in columns] == pytest.approx([2 / 3, 0.2 / 3, 0.16 / 0.9])
    # |0.5 - 0.4|, 0.5, 0.1; 0.3, 0.2, 0.1; and from the true mean, 0.8 / 3
    assert [size[column] for column in columns] == pytest.approx([0.7 / 3, 0.2, 0.16 / 0.9])
    for column in columns:
        assert mean[column] == pytest.approx((rate[column] + size[column]) / 2)


def test_without_intervals_nothing_is_said_of_them(labels, recordings):
    compared = hidden_truth(labels, recordings)
    assert compared.half_widths is None
    assert not any("inside" in row for row in compared.errors())


def test_the_share_of_truths_inside_is_that_of_each_labels_own_interval(labels, recordings):
    table = pd.read_csv(labels / "metadata.csv")
    # labels miss by 0.1, 0, 0.1 and by 0.3, 0.2, 0.1
    table = table.assign(rate_interval=[0.15, 0.0, 0.05], size_interval=[0.25, 0.25, 0.05])
    table.to_csv(labels / "metadata.csv", index=False)
    rate, size, mean = hidden_truth(labels, recordings).errors()
    assert [row["inside"] for row in (rate, size, mean)] == pytest.approx([2 / 3, 1 / 3, 1 / 2])


def test_a_control_that_the_recordings_held_fixed_is_left_out(labels, recordings):
    hidden = pd.read_csv(recordings / "hidden_controls.csv").drop(columns="rate")
    hidden.to_csv(recordings / "hidden_controls.csv", index=False)
    assert [row["control"] for row in hidden_truth(labels, recordings).errors()] == ["size", "mean"]


def test_a_clip_of_another_recording_is_an_error_that_names_it(labels, recordings):
    hidden = pd.read_csv(recordings / "hidden_controls.csv").query("file_name != 'b.wav'")
    hidden.to_csv(recordings / "hidden_controls.csv", index=False)
    with pytest.raises(TextureError, match=r"hidden_controls\.csv: has no row for b\.wav"):
        hidden_truth(labels, recordings)

"""A dataset folder is what it says, or is refused with the place that is wrong."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from texturelib.audio import write_wav
from texturelib.dataset import read_dataset, write_dataset
from texturelib.errors import TextureError
from texturelib.files import shown

RATE, SECONDS = 8000, 0.1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a dataset of two clips, the second twice as loud, and one control."""
    for number in (1, 2):
        write_wav(tmp_path / "audio" / f"{number}.wav", np.full(800, number / 4), RATE)
    metadata = pd.DataFrame(
        {"file_name": ["audio/1.wav", "audio/2.wav"], "avgRate": [0.25, 0.5], "note": ["x", "y"]}
    )
    write_dataset(
        tmp_path,
        metadata,
        sample_rate=RATE,
        seconds=SECONDS,
        controls=[{"name": "avgRate"}],
        seed=3,
    )
    return tmp_path


def test_a_dataset_comes_back_as_it_was_written(folder: Path) -> None:
    dataset = read_dataset(folder)

    assert len(dataset) == 2
    assert (dataset.sample_rate, dataset.seconds, dataset.n_samples, dataset.controls) == (
        RATE,
        SECONDS,
        800,
        ["avgRate"],
    )
    np.testing.assert_array_equal(dataset.control_values(), np.array([[0.25], [0.5]], np.float32))
    np.testing.assert_allclose(dataset.clip(1), 0.5, atol=2**-15)  # a step of 16 bits
    assert dataset.description["seed"] == 3
    assert dataset.description["n_clips"] == 2
    assert {"python", "numpy", "texture-toolkit"} <= dataset.description["versions"].keys()


def test_the_table_begins_with_the_file_name_as_audiofolder_wants_it(folder: Path) -> None:
    assert (folder / "metadata.csv").read_text().splitlines()[:2] == [
        "file_name,avgRate,note",
        "audio/1.wav,0.25,x",
    ]


def test_a_clip_that_is_gone_or_of_another_length_is_named(folder: Path) -> None:
    dataset = read_dataset(folder)

    write_wav(folder / "audio" / "1.wav", np.zeros(700), RATE)
    with pytest.raises(
        TextureError, match=r"1\.wav: has 1 channel\(s\) of 700 samples at 8000 Hz; the dataset has"
    ):
        dataset.clip(0)

    (folder / "audio" / "1.wav").unlink()
    with pytest.raises(TextureError, match=r"1\.wav: no such file, but metadata\.csv names it"):
        dataset.clip(0)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("file_name\na.wav\n", "has no column avgRate"),
        ("name,avgRate\na.wav,0.5\n", "has no column file_name"),
        ("file_name,avgRate\na.wav,0.5\nb.wav,\n", "row 3: avgRate is empty"),
        ("file_name,avgRate\n,0.5\n", "row 2: file_name is empty"),
        (
            "file_name,avgRate\na.wav,0.5\nb.wav,loud\n",
            "row 3: avgRate is loud, not a finite number",
        ),
        (
            "file_name,avgRate\na.wav,true\nb.wav,false\n",
            "row 2: avgRate is True, not a finite number",
        ),
        (
            "file_name,avgRate\na.wav,1\nb.wav," + "9" * 400 + "\n",
            f"row 3: avgRate is {'9' * 400}, not a finite number",
        ),
    ],
)
def test_a_table_that_lacks_something_is_named_with_the_place(
    folder: Path, table: str, expected: str
) -> None:
    (folder / "metadata.csv").write_text(table)

    with pytest.raises(TextureError) as refused:
        read_dataset(folder)

    assert str(refused.value) == f"{shown(folder / 'metadata.csv')}: {expected}"


def test_a_folder_that_is_missing_or_unfinished_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TextureError, match="no such folder"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(
        TextureError, match=r"not a finished dataset folder \(it has no dataset\.json\)"
    ):
        read_dataset(tmp_path)

"""The sounds that a synthesiser learns from: of any number of channels, from a dataset folder or
from wavs with .params, with the parts that the set itself is divided into."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conditioned_synthesis.data.clips import Sounds, read_sounds
from conditioned_synthesis.data.import_dataset import import_mtcrnn
from conditioned_synthesis.data.mtcrnn_format import params
from conditioned_synthesis.data.split import split_sounds
from conditioned_synthesis.instrument.automation import Automation, constant
from texturelib.audio import write_wav
from texturelib.controls import Control
from texturelib.dataset import write_dataset
from texturelib.errors import TextureError, UsageError

RATE, SAMPLES = 48000, 480
SIZE = Control("size", 0.5, 2.0, "x", "exponential", laws={"slow_down": 1.0, "gain": 0.0})
DENSITY = Control("density", 1.0, 8.0, "x", "exponential", laws={"mixing": 1.0})
STEP = 2**-15


def _samples(index: int, n_channels: int) -> np.ndarray:
    shape = SAMPLES if n_channels == 1 else (SAMPLES, n_channels)
    return np.random.default_rng(index).uniform(-0.5, 0.5, shape)


def _dataset(folder: Path, n_channels: int, n_clips: int = 6, **columns: list) -> Path:
    names = [f"audio/{index}.wav" for index in range(n_clips)]
    for index, name in enumerate(names):
        write_wav(folder / name, _samples(index, n_channels), RATE)
    places = np.linspace(0, 1, n_clips)
    table = {"file_name": names, "size": places, "density": places[::-1], **columns}
    write_dataset(
        folder,
        pd.DataFrame(table),
        sample_rate=RATE,
        seconds=SAMPLES / RATE,
        n_channels=n_channels,
        controls=[SIZE.describe(), DENSITY.describe()],
    )
    return folder


@pytest.mark.parametrize("n_channels", [1, 2, 8])
def test_a_dataset_folder_is_read_with_its_channels_rate_and_controls(tmp_path, n_channels):
    sounds = read_sounds(_dataset(tmp_path, n_channels), None)

    assert (sounds.sample_rate, len(sounds), sounds.n_samples) == (RATE, 6, SAMPLES)
    assert sounds.n_channels == n_channels
    assert sounds.clips.dtype == np.int16
    np.testing.assert_allclose(sounds.samples(3), _samples(3, n_channels), atol=STEP)
    assert sounds.controls == (SIZE, DENSITY)
    assert sounds.controls[0].laws == {"slow_down": 1.0, "gain": 0.0}
    assert sounds.ranges() == [(0, 1), (0, 1)]
    assert sounds.split is None


def test_a_batch_has_the_channels_last_and_begins_with_the_sample_before(tmp_path):
    sounds = read_sounds(_dataset(tmp_path, 2), None)
    audio, controls = sounds.batch(np.array([4, 4]), np.array([0, 100]), 50)

    assert audio.shape == (2, 51, 2)
    assert controls.shape == (2, 50, 2)
    assert not audio[0, 0].any()  # silence before a clip's start
    np.testing.assert_allclose(audio[1], _samples(4, 2)[99:150], atol=STEP)
    np.testing.assert_allclose(controls[1], np.tile([0.8, 0.2], (50, 1)), atol=1e-6)


def test_clips_are_mixed_down_where_one_channel_is_learnt(tmp_path):
    folder = _dataset(tmp_path, 2)
    against_one_another = np.outer(_samples(1, 1), [1, -1])
    write_wav(folder / "audio" / "1.wav", against_one_another, RATE)
    sounds = read_sounds(folder, None, lambda _: 1)

    assert sounds.clips.shape == (6, SAMPLES)
    np.testing.assert_allclose(sounds.samples(0), _samples(0, 2).mean(axis=1), atol=STEP)
    # The mean of channels that cancel one another would be silence.
    np.testing.assert_allclose(sounds.samples(1), _samples(1, 1), atol=STEP)


def test_a_synthesiser_that_learns_some_of_the_channels_is_refused(tmp_path):
    with pytest.raises(UsageError, match="learns 2 channels of clips that have 4"):
        read_sounds(_dataset(tmp_path, 4), None, lambda _: 2)


def test_controls_are_chosen_and_ordered_by_name(tmp_path):
    folder = _dataset(tmp_path, 1)
    sounds = read_sounds(folder, ["density"])
    assert sounds.controls == (DENSITY,)
    assert [line.values.tolist() for line in sounds.automations[0]] == [[1.0]]
    with pytest.raises(UsageError, match=r'no control "siz" \(did you mean "size"'):
        read_sounds(folder, ["siz"])


def test_labels_beyond_0_to_1_are_named_with_their_row(tmp_path):
    folder = _dataset(tmp_path, 1)
    table = pd.read_csv(folder / "metadata.csv")
    table.loc[2, "density"] = 1.25
    table.to_csv(folder / "metadata.csv", index=False)
    with pytest.raises(
        TextureError, match=r"metadata\.csv: row 4: density is 1\.25; a synthesiser"
    ):
        read_sounds(folder, None)
    assert len(read_sounds(folder, ["size"])) == 6


def test_a_clip_with_other_channels_than_its_dataset_is_named(tmp_path):
    folder = _dataset(tmp_path, 2)
    write_wav(folder / "audio" / "5.wav", _samples(5, 1), RATE)
    with pytest.raises(TextureError, match=r"5\.wav: has 1 channel\(s\) .* has 2 channels of"):
        read_sounds(folder, None)


def test_an_imported_dataset_keeps_the_automations_of_its_controls(tmp_path):
    line = Automation(np.array([0.0, 0.01]), np.array([0.25, 0.75]))
    for index in range(2):
        write_wav(tmp_path / "wavs" / f"{index}.wav", _samples(index, 1), RATE)
        content = params(f"{index}.wav", {"size": line}, SAMPLES / RATE, [SIZE])
        (tmp_path / "wavs" / f"{index}.params").write_text(json.dumps(content))
    import_mtcrnn(tmp_path / "wavs", tmp_path / "wavs", tmp_path / "dataset")
    found, wanted = (read_sounds(tmp_path / name, None) for name in ("dataset", "wavs"))

    for sounds in (found, wanted):
        assert sounds.automations[0][0].at(0.005) == pytest.approx(0.5)
    np.testing.assert_array_equal(found.clips, wanted.clips)


@pytest.mark.parametrize(
    ("split", "held_out"),
    [
        (["train", "test", "train", "validation", "train", "train"], [1, 3]),
        (["train", "test", "train", "", "train", "train"], [1, 3]),
    ],
)
def test_the_sets_own_split_says_what_is_held_out(tmp_path, split, held_out):
    clips = split_sounds(read_sounds(_dataset(tmp_path, 1, split=split), None), 0.5, 0)
    assert clips.held_out.tolist() == held_out
    assert clips.train.tolist() == [row for row in range(6) if row not in held_out]


@pytest.mark.parametrize("split", [["train"] * 6, ["dev", "eval"] * 3, [""] * 6])
def test_a_share_is_drawn_where_the_set_names_no_clips_to_hold_out(tmp_path, split):
    sounds = read_sounds(_dataset(tmp_path, 1, split=split), None)
    assert sounds.split is None
    clips = split_sounds(sounds, 0.5, 0)
    assert (len(clips.train), len(clips.held_out)) == (3, 3)


def test_shuffled_labels_leave_the_clips_and_their_parts(tmp_path):
    parts = ["train", "test"] * 3
    sounds = read_sounds(_dataset(tmp_path, 2, split=parts), None)
    shuffled = sounds.shuffled(0)
    assert shuffled.clips is sounds.clips
    assert shuffled.split == sounds.split == tuple(parts)
    assert all(
        mine[0].values != other[0].values
        for mine, other in zip(sounds.automations, shuffled.automations, strict=True)
    )


def test_the_level_of_stereo_does_not_depend_on_the_order_of_channels():
    clips = (2**15 * np.stack([_samples(0, 2), _samples(0, 2)[:, ::-1]])).astype(np.int16)
    automations = [[constant(0.0)], [constant(1.0)]]
    sounds = Sounds(RATE, clips, automations, (SIZE,))
    assert sounds.samples(0).std() == pytest.approx(sounds.samples(1).std())


def test_reading_holds_the_clips_once(tmp_path):
    """Five thousand stereo clips of a second at 44.1 kHz are 0.9 GB: two copies are too many."""
    folder = _dataset(tmp_path, 8, n_clips=400)
    tracemalloc.start()
    try:
        sounds = read_sounds(folder, None)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sounds.clips.nbytes == 400 * SAMPLES * 8 * 2
    # Beside the clips there are the table and the automations, of some 500 bytes a clip, and one
    # clip as it is read.
    assert peak < 1.6 * sounds.clips.nbytes

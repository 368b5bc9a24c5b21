"""Sets whose segments keep the channels of the recordings."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from texturelib.dataset import read_dataset
from texturelib.errors import TextureError

N_SAMPLES = 4410  # of a segment


def channels_of(noise, n_channels: int, n_segments: float = 2, **levels: float) -> np.ndarray:
    """Independent noise, [samples, channels]."""
    return np.stack([noise(n_segments, **levels) for _ in range(n_channels)], axis=1)


@pytest.fixture
def cut_into(cut: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Build the config with `changes` into tmp_path/NAME. -> that folder."""

    def run(name: str, *changes: str) -> Path:
        cut(*changes, f"output={tmp_path / name}")
        return tmp_path / name

    return run


@pytest.mark.parametrize("setting", ["2", '"all"'])
def test_segments_are_the_recordings_own_channels(record, cut, noise, setting):
    stereo = channels_of(noise, 2)
    record("rain.wav", stereo, subtype="FLOAT")
    dataset = read_dataset(cut(f"channels={setting}"))

    assert (dataset.n_channels, len(dataset)) == (2, 2)
    assert "at 44100 Hz, stereo" in (dataset.folder / "README.md").read_text()
    for index in range(2):
        assert soundfile.info(dataset.path(index)).channels == 2
        wanted = stereo[index * N_SAMPLES : (index + 1) * N_SAMPLES]
        np.testing.assert_allclose(dataset.clip(index), wanted, atol=2**-15)


def test_all_of_mono_recordings_is_the_same_set_as_one_channel(record, cut_into, noise):
    record("rain.wav", noise(2))
    one, every = cut_into("one", "channels=1"), cut_into("every", 'channels="all"')
    for name in ("audio/rain_1.wav", "audio/rain_2.wav", "metadata.csv", "README.md"):
        assert (every / name).read_bytes() == (one / name).read_bytes()


def test_channels_are_resampled_each_by_itself(record, cut_into, noise):
    record("rain.wav", channels_of(noise, 2, n_segments=1), 48000, subtype="FLOAT")
    # Segments of 0.09 s at 22,050 Hz.
    words = ("sample_rate=22050", "seconds=0.09")
    both = read_dataset(cut_into("both", *words, "channels=2")).clip(0)
    for channel in (1, 2):
        alone = read_dataset(cut_into(f"channel_{channel}", *words, f"channel={channel}")).clip(0)
        np.testing.assert_array_equal(both[:, channel - 1], alone)


def test_mono_recordings_in_a_set_of_several_channels_are_copied_to_each(record, cut, noise):
    record("mono.wav", noise(1), subtype="FLOAT")
    record("stereo.wav", channels_of(noise, 2), subtype="FLOAT")
    dataset = read_dataset(cut("channels=2"))

    row = dataset.metadata["source"].tolist().index("mono.wav")
    clip = dataset.clip(row)
    np.testing.assert_array_equal(clip[:, 0], clip[:, 1])
    assert clip.any()


def test_recordings_with_another_number_of_channels_are_left_out_with_the_reason(
    record, cut, noise
):
    record("stereo.wav", channels_of(noise, 2))
    record("five.wav", channels_of(noise, 5))
    folder = cut("channels=2")
    rejected = pd.read_csv(folder / "rejected.csv")
    assert rejected.values.tolist() == [
        ["five.wav", "has 5 channels, and channels is 2; 1 would mix them"]
    ]


def test_all_channels_of_mono_and_stereo_recordings_are_two(record, cut, noise):
    record("a.wav", noise(2))
    record("b.wav", channels_of(noise, 2))
    dataset = read_dataset(cut('channels="all"'))
    assert (dataset.n_channels, len(dataset)) == (2, 4)


def test_all_of_recordings_that_differ_names_two_and_what_to_set(record, cut, noise):
    for name, n_channels in zip("abc", (1, 4, 2), strict=True):
        record(f"{name}.wav", channels_of(noise, n_channels))
    record("damaged.wav", b"RIFF")
    advice = r"b\.wav has 4 channels and c\.wav has 2; set 2 or 4 \(recordings with others"
    with pytest.raises(TextureError, match=f'^channels: "all" keeps .*{advice}'):
        cut('channels="all"')


def test_a_recording_of_too_many_channels_is_named(record, cut, noise):
    record("sphere.wav", channels_of(noise, 9))
    with pytest.raises(TextureError, match=r"sphere\.wav has 9 channels, and a set can have 8"):
        cut('channels="all"')


def test_a_dry_run_says_what_channels_there_are_and_which_differ(record, command, config, noise):
    record("a.wav", channels_of(noise, 2))
    status, printed, _ = command("build", config, "--dry-run", "--set", "channels=all")
    assert status == 0
    # Two segments of 0.1 s of 16 bits, in two channels.
    assert "at most 2 segments of 0.1 s, stereo, " in printed
    record("b.wav", channels_of(noise, 4))
    status, _, errors = command("build", config, "--dry-run", "--set", "channels=all")
    assert status == 1
    assert "a.wav has 2 channels and b.wav has 4" in errors


def test_a_segment_is_silent_only_where_all_its_channels_are(record, cut, noise):
    sound, silence = noise(1), np.zeros(N_SAMPLES)
    left = np.concatenate([sound, silence, silence])
    right = np.concatenate([silence, sound, silence])
    record("moving.wav", np.stack([left, right], axis=1))
    dataset = read_dataset(cut("channels=2"))

    assert dataset.metadata["start_seconds"].tolist() == [0.0, 0.1]
    assert dataset.description["n_silent_segments"] == 1


def test_the_level_is_that_of_the_loudest_channel_and_an_offset_is_no_sound(record, cut, noise):
    quiet, loud = noise(1, level_dbfs=-40), noise(1, level_dbfs=-20)
    record("uneven.wav", np.stack([quiet + 0.2, loud - 0.2], axis=1))
    record("offset.wav", np.tile([0.2, -0.2], (N_SAMPLES, 1)))
    folder = cut("channels=2")
    # 4410 samples of noise: their level is known to 0.1 dB.
    assert read_dataset(folder).metadata["level_dbfs"].tolist() == [pytest.approx(-20, abs=0.2)]
    assert pd.read_csv(folder / "rejected.csv")["file"].tolist() == ["offset.wav"]


def test_clipping_in_any_channel_counts(record, cut, noise, square):
    record("loud.wav", np.stack([noise(1), np.repeat(square(1.0), 9)[:N_SAMPLES]], axis=1))
    assert read_dataset(cut("channels=2")).metadata["n_clipped"].tolist() == [N_SAMPLES]


def test_segments_that_differ_in_one_channel_are_no_duplicates(record, cut, noise):
    left, right = noise(1), noise(1)
    record("a.wav", np.stack([left, right], axis=1))
    record("b.wav", np.stack([left, noise(1)], axis=1))
    record("c.wav", np.stack([left, right], axis=1))
    dataset = read_dataset(cut("channels=2"))
    assert dataset.metadata["source"].tolist() == ["a.wav", "b.wav"]
    assert dataset.description["n_duplicate_segments"] == 1


def test_channels_that_cancel_one_another_are_kept_where_they_are_not_mixed(record, cut, noise):
    samples = noise(1)
    record("mid_side.wav", np.stack([samples, -samples], axis=1), subtype="FLOAT")
    folder = cut("channels=2", "out_of_phase=reject")
    dataset = read_dataset(folder)
    np.testing.assert_allclose(dataset.clip(0)[:, 0], -dataset.clip(0)[:, 1], atol=2**-15)
    assert not len(pd.read_csv(folder / "notes.csv"))


def test_a_recording_beyond_full_scale_is_lowered_alike_in_all_channels(record, cut, noise):
    samples = channels_of(noise, 2, n_segments=1) * np.array([1, 20])
    record("loud.wav", samples, subtype="FLOAT")
    clip = read_dataset(cut("channels=2")).clip(0)
    assert np.abs(clip[:, 1]).max() == pytest.approx(1, abs=2**-14)
    gain = clip[:, 1].std() / samples[:, 1].std()
    np.testing.assert_allclose(clip[:, 0], gain * samples[:, 0], atol=2**-14)


def test_fades_reach_all_channels(record, cut_into, noise):
    record("rain.wav", channels_of(noise, 2, n_segments=1))
    plain = read_dataset(cut_into("plain", "channels=2")).clip(0)
    faded = read_dataset(cut_into("faded", "channels=2", "fade_ms=10")).clip(0)
    np.testing.assert_array_equal(faded[500:-500], plain[500:-500])
    assert np.abs(faded[[0, -1]]).max() < 0.01

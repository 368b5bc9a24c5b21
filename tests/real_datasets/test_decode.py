"""A recording comes as a stream of mono blocks that joined are the whole, and where it is clipped
is counted."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import example, given
from hypothesis import strategies as st

from real_datasets import decode
from real_datasets.decode import ClippedTimes, sound_blocks
from texturelib.audio import read_blocks, read_mono
from texturelib.errors import Rejected


def sound(n_samples: int, n_channels: int = 1) -> np.ndarray:
    return (
        np.random.default_rng(n_channels)
        .uniform(-0.9, 0.9, (n_samples, n_channels))
        .astype(np.float32)
    )


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 1000 samples, so that short files have many; the length of a real one is not
    special."""
    monkeypatch.setattr(decode, "read_blocks", partial(read_blocks, n_frames=1000))


@pytest.mark.parametrize(
    ("suffix", "format_", "sample_rate"),
    [
        (".wav", {"subtype": "PCM_16"}, 44100),
        (".wav", {"subtype": "FLOAT"}, 48000),
        (".wav", {"subtype": "PCM_24"}, 8000),
        (".wav", {"subtype": "PCM_16"}, 192000),
        (".flac", {}, 96000),
        (".flac", {}, 44100),
        (".ogg", {}, 48000),
        (".ogg", {}, 22050),
        (".mp3", {}, 44100),
        (".mp3", {}, 32000),
    ],
)
@pytest.mark.parametrize("n_channels", [1, 2])
def test_joined_blocks_are_what_reading_all_at_once_gives(
    tmp_path: Path,
    small_blocks: None,
    suffix: str,
    format_: dict[str, str],
    sample_rate: int,
    n_channels: int,
) -> None:
    path = tmp_path / f"sound{suffix}"
    soundfile.write(path, sound(12_345, n_channels), sample_rate, **format_)
    blocks = list(sound_blocks(path, 44100))
    assert len(blocks) > 10
    joined = np.concatenate(blocks)
    assert joined.dtype == np.float32
    # libsndfile's own mp3 decoder gives numbers that differ by 2^-22 when it is asked in other
    # portions, before resampling.
    np.testing.assert_allclose(
        joined, read_mono(path, 44100), rtol=0, atol=2**-20 if suffix == ".mp3" else 0
    )


@pytest.mark.parametrize("n_channels", [3, 6, 8])
def test_more_channels_are_mixed_by_their_mean_too(
    tmp_path: Path, small_blocks: None, n_channels: int
) -> None:
    samples = sound(5_000, n_channels)
    soundfile.write(tmp_path / "many.wav", samples, 44100, subtype="FLOAT")
    joined = np.concatenate(list(sound_blocks(tmp_path / "many.wav", 44100)))
    # A mean of n numbers below 1 in float32 is good to n/2 steps of 2^-24; a step of the 16-bit
    # file is 2^-15.
    np.testing.assert_allclose(
        joined, samples.mean(axis=1, dtype=np.float64), atol=n_channels * 2**-24
    )


@pytest.mark.parametrize("n_samples", [1, 7, 999, 1000, 1001, 3000])
@pytest.mark.parametrize("sample_rate", [8000, 44100, 96000])
def test_a_recording_of_any_length_is_whole_also_where_a_block_ends_with_it(
    tmp_path: Path, small_blocks: None, n_samples: int, sample_rate: int
) -> None:
    soundfile.write(tmp_path / "short.wav", sound(n_samples), sample_rate, subtype="FLOAT")
    joined = np.concatenate(list(sound_blocks(tmp_path / "short.wav", 44100)))
    np.testing.assert_array_equal(joined, read_mono(tmp_path / "short.wav", 44100))


@pytest.mark.parametrize("resampling", ["QQ", "LQ", "MQ", "HQ", "VHQ"])
def test_the_quality_of_resampling_is_what_is_asked_for(
    tmp_path: Path, small_blocks: None, resampling: decode.Resampling
) -> None:
    samples = sound(20_000)
    soundfile.write(tmp_path / "sound.wav", samples, 48000, subtype="FLOAT")
    joined = np.concatenate(
        list(sound_blocks(tmp_path / "sound.wav", 44100, resampling=resampling))
    )
    np.testing.assert_array_equal(
        joined, soxr.resample(samples[:, 0], 48000, 44100, quality=resampling)
    )


@pytest.mark.parametrize("channel", [1, 2, 3])
@pytest.mark.parametrize("sample_rate", [44100, 48000])
def test_one_channel_can_be_taken_alone(
    tmp_path: Path, small_blocks: None, channel: int, sample_rate: int
) -> None:
    samples = sound(4_000, 3)
    soundfile.write(tmp_path / "three.wav", samples, sample_rate, subtype="FLOAT")
    soundfile.write(tmp_path / "alone.wav", samples[:, channel - 1], sample_rate, subtype="FLOAT")
    joined = np.concatenate(list(sound_blocks(tmp_path / "three.wav", 44100, channel=channel)))
    np.testing.assert_array_equal(joined, read_mono(tmp_path / "alone.wav", 44100))


def test_a_channel_that_is_not_there_is_a_reason_to_reject(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "stereo.wav", sound(100, 2), 44100)
    with pytest.raises(Rejected, match=r"^has 2 channel\(s\), and channel 3 is asked for$"):
        list(sound_blocks(tmp_path / "stereo.wav", 44100, channel=3))


def clipped_samples(samples: np.ndarray, level: float, run: int) -> list[int]:
    """Return the place of every clipped sample, once per channel; sample by sample, as one would
    on paper."""
    found = []
    for channel in range(samples.shape[1]):
        start = 0
        while start < len(samples):
            end = start
            while end < len(samples) and abs(samples[end, channel]) >= level:
                end += 1
            if end - start >= run:
                found += range(start, end)
            start = end + 1
    return found


SOUNDS_NEAR_FULL_SCALE = st.integers(1, 3).flatmap(
    lambda n_channels: st.lists(
        st.lists(st.sampled_from([0.0, 0.9, 1.0, -1.0]), min_size=n_channels, max_size=n_channels),
        min_size=1,
        max_size=60,
    )
)


@given(
    samples=SOUNDS_NEAR_FULL_SCALE,
    run=st.integers(1, 6),
    ends=st.lists(st.integers(1, 60), max_size=60),
    n_hop=st.integers(1, 20),
    n_samples=st.integers(1, 20),
)
# Blocks shorter than a run.
@example(samples=[[1.0]] * 9, run=4, ends=list(range(1, 9)), n_hop=3, n_samples=3)
def test_what_is_counted_as_clipped_is_what_a_look_at_every_sample_finds(
    samples: list[list[float]], run: int, ends: list[int], n_hop: int, n_samples: int
) -> None:
    recording = np.array(samples, np.float32)
    clipped = ClippedTimes(0.999, run)
    for block in np.split(recording, sorted({end for end in ends if end < len(recording)})):
        clipped.look_at(block, 44100)
    expected = clipped_samples(recording, 0.999, run)
    for start in range(0, len(recording), n_hop):
        found = clipped.count(start / 44100, (start + n_samples) / 44100)
        assert found == sum(start <= place < start + n_samples for place in expected)


@given(
    n_before=st.integers(0, 12),
    n_full=st.integers(1, 12),
    block=st.integers(4, 9),
    run=st.integers(1, 4),
)
def test_a_clipped_run_across_the_end_of_a_block_is_counted_by_the_time_the_block_is_given(
    n_before: int, n_full: int, block: int, run: int
) -> None:
    # Blocks are longer than runs, as the real ones are (2^18 samples and at most 1000).
    recording = np.zeros((30, 1), np.float32)
    recording[n_before : n_before + n_full] = 1.0
    in_blocks = [(recording[start : start + block], 44100) for start in range(0, 30, block)]
    clipped = ClippedTimes(0.999, run)
    expected = clipped_samples(recording, 0.999, run)
    first = 0
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(decode, "read_blocks", lambda _, **__: in_blocks)
        for samples in sound_blocks(Path("any"), 44100, clipped=clipped):
            # As for a segment that ends with the block.
            found = clipped.count(first / 44100, (first + len(samples)) / 44100)
            assert found == sum(first <= place < first + len(samples) for place in expected)
            first += len(samples)
    assert first == 30


# Floating-point files can hold more than full scale.
@pytest.mark.parametrize("peak", [0.9989, 0.9991, 1.0, 1.5])
def test_full_scale_begins_at_the_level(peak: float) -> None:
    clipped = ClippedTimes(0.999, run=3)
    clipped.look_at(np.array([[0], [peak], [-peak], [peak], [0]], np.float32), 44100)
    assert clipped.count(0, 1) == (3 if peak > 0.999 else 0)

"""What is left out for being silent."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from real_datasets.silence import Silence, is_nothing

RATE = 44100
FRAME = 882  # samples: 20 ms
ONE_STEP = 2**-15  # of 16 bits


def square(peak: float, n_samples: int = FRAME) -> np.ndarray:
    """Its level is its peak. Of an even length."""
    return np.tile(np.array([peak, -peak], np.float32), n_samples // 2)


def decibels(level_dbfs: float) -> float:
    return 10 ** (level_dbfs / 20)


@pytest.mark.parametrize(
    ("peak", "is_only_zeros"),
    [
        (0.0, True),
        (ONE_STEP, False),  # the quietest sound that a 16-bit file can hold
        (0.5 * ONE_STEP, True),  # it would be written as nothing but zeros
        (0.51 * ONE_STEP, False),
    ],
)
def test_what_16_bits_hold_only_zeros_of_is_nothing(peak: float, is_only_zeros: bool) -> None:
    assert is_nothing(square(peak)) == is_only_zeros


@pytest.mark.parametrize("key", ["level_dbfs", "peak_dbfs"])
@pytest.mark.parametrize(
    ("peak", "limit", "expected"),
    [
        (0.0, -60.0, True),
        (decibels(-60.01), -60.0, True),
        (decibels(-59.99), -60.0, False),
        (decibels(-61), -70.0, False),
        (1.0, 0.0, False),  # full scale is not lower than full scale
    ],
)
def test_a_square_wave_is_silent_when_its_peak_which_is_its_level_is_under_the_limit(
    key: str, peak: float, limit: float, expected: bool
) -> None:
    silence = Silence(**{"level_dbfs": None, "peak_dbfs": None, key: limit})
    assert silence.is_silent(square(peak, 10 * FRAME), RATE) == expected


def test_a_click_has_a_peak_and_little_level() -> None:
    click = np.zeros(FRAME, np.float32)
    click[7] = 0.5  # a peak of -6 dBFS; 0.5 / sqrt(882) is a level of -35.5 dBFS
    assert Silence(level_dbfs=-35.0).is_silent(click, RATE)
    assert not Silence(level_dbfs=-36.0).is_silent(click, RATE)
    assert not Silence(level_dbfs=None, peak_dbfs=-7.0).is_silent(click, RATE)
    assert Silence(level_dbfs=None, peak_dbfs=-6.0).is_silent(click, RATE)


def test_either_of_level_and_peak_makes_a_frame_quiet() -> None:
    click = np.zeros(FRAME, np.float32)
    click[7] = 0.5  # -35.5 dBFS of level, -6 of peak
    hum = square(decibels(-20))
    both = Silence(level_dbfs=-30.0, peak_dbfs=-15.0)
    assert both.is_silent(click, RATE)
    assert both.is_silent(hum, RATE)
    assert not both.is_silent(square(decibels(-10)), RATE)


def test_one_loud_frame_of_fifty_keeps_a_second_that_is_quiet_on_the_whole() -> None:
    second = square(decibels(-80), RATE)
    second[7 * FRAME : 8 * FRAME] = square(decibels(-50))
    # On the whole -67 dBFS, which a look at all of it at once would take for silence.
    assert not Silence(level_dbfs=-60.0).is_silent(second, RATE)
    assert Silence(level_dbfs=-60.0, share=0.98).is_silent(second, RATE)


@given(quiet=st.lists(st.booleans(), min_size=1, max_size=60), percent=st.integers(1, 100))
@example(quiet=[True] * 7 + [False] * 18, percent=28)
def test_a_segment_is_silent_from_the_share_of_quiet_frames_on(
    quiet: list[bool], percent: int
) -> None:
    segment = np.concatenate([square(decibels(-70 if is_quiet else -50)) for is_quiet in quiet])
    # In whole numbers: 0.28 x 25 is 7.000000000000001 to a computer.
    expected = 100 * sum(quiet) >= percent * len(quiet)
    assert Silence(share=percent / 100).is_silent(segment, RATE) == expected


# 11025: a quarter of a second, 12.5 frames.
@pytest.mark.parametrize("n_samples", [11025, 5 * FRAME + 2, FRAME + 440])
def test_a_sound_that_begins_in_what_is_left_after_the_last_whole_frame_is_heard(
    n_samples: int,
) -> None:
    segment = np.zeros(n_samples, np.float32)
    segment[-2:] = 0.9  # in 882 samples a level of -27 dBFS
    assert not Silence().is_silent(segment, RATE)


@pytest.mark.parametrize("n_samples", [80, 441, 881])
def test_a_segment_shorter_than_a_frame_is_one_frame(n_samples: int) -> None:
    assert Silence().is_silent(np.resize(square(decibels(-61)), n_samples), RATE)
    assert not Silence().is_silent(np.resize(square(decibels(-59)), n_samples), RATE)


@pytest.mark.parametrize("sample_rate", [8000, 22050, 44100, 192000])
def test_a_frame_is_20_ms_at_any_rate(sample_rate: int) -> None:
    frame = round(0.02 * sample_rate)
    segment = np.zeros(10 * frame, np.float32)
    segment[3 * frame : 4 * frame] = 0.5
    assert Silence(share=0.9).is_silent(segment, sample_rate)
    assert not Silence(share=0.91).is_silent(segment, sample_rate)


@given(
    levels=st.lists(st.sampled_from([-75.0, -61.0, -59.0, -30.0]), min_size=1, max_size=60),
    offset=st.sampled_from([-0.5, -1e-3, 1e-6, 1e-4, 0.02]),
    key=st.sampled_from(["level_dbfs", "peak_dbfs"]),
)
def test_an_offset_makes_no_segment_louder(levels: list[float], offset: float, key: str) -> None:
    segment = np.concatenate([square(decibels(level)) for level in levels]).astype(np.float64)
    silence = Silence(**{"level_dbfs": None, "peak_dbfs": None, key: -60.0}, share=0.5)
    n_quiet = sum(level < -60 for level in levels)
    expected = 2 * n_quiet >= len(levels)
    assert silence.is_silent(segment, RATE) == expected
    assert silence.is_silent(segment + offset, RATE) == expected

"""Which stretches of a recording become segments, and what they are called."""

import string
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from real_datasets.segments import cut, is_silent, segment_stems
from real_datasets.sources import Recording

ONE_STEP = 2**-15  # of 16 bits


@given(length=st.integers(0, 500), n_samples=st.integers(1, 60))
def test_segments_stand_end_to_end_and_leave_less_than_one_over(length: int, n_samples: int) -> None:
    samples = np.arange(length)
    segments = list(cut(samples, n_samples))
    assert all(len(segment) == n_samples for _, segment in segments)
    assert [start for start, _ in segments] == [int(segment[0]) for _, segment in segments]
    joined = np.concatenate([segment for _, segment in segments]) if segments else samples[:0]
    assert (joined == samples[: len(joined)]).all()
    assert 0 <= length - len(joined) < n_samples


@pytest.mark.parametrize(
    ("peak", "silence_dbfs", "expected"),
    [
        (0.0, None, True),
        (ONE_STEP, None, False),  # the quietest sound that a 16-bit file can hold
        (0.5 * ONE_STEP, None, True),  # it would be written as nothing but zeros
        (0.0, -60.0, True),
        (10 ** (-61 / 20), -60.0, True),
        (10 ** (-59 / 20), -60.0, False),
        (10 ** (-61 / 20), -70.0, False),
        (1.0, 0.0, False),  # full scale is not lower than full scale
    ],
)
def test_a_square_wave_is_silent_when_its_peak_which_is_its_level_is_under_the_limit(
    peak: float, silence_dbfs: float | None, expected: bool
) -> None:
    square = np.tile(np.array([peak, -peak], dtype=np.float32), 50)
    assert is_silent(square, silence_dbfs) == expected


def test_one_loud_sample_among_zeros_is_not_nothing_but_quiet() -> None:
    click = np.zeros(44100, dtype=np.float32)
    click[7] = 0.5
    assert not is_silent(click, None)
    # 0.5 / sqrt(44100) is -52.5 dBFS
    assert not is_silent(click, -53.0)
    assert is_silent(click, -52.0)


def stems(*names: str) -> list[str]:
    return segment_stems([Recording(name, Path(name)) for name in names])


def test_a_recording_whose_name_is_its_own_lends_its_stem() -> None:
    assert stems("64760.wav", "dev/64761.flac", "a.b.wav") == ["64760", "64761", "a.b"]


def test_recordings_of_one_name_in_two_folders_or_with_two_suffixes_are_told_apart() -> None:
    assert stems("a/rain.wav", "b/rain.wav", "fire.wav") == ["a__rain", "b__rain", "fire"]
    assert stems("rain.flac", "rain.wav") == ["rain.flac", "rain.wav"]


def test_names_that_differ_in_case_alone_are_told_apart_as_some_file_systems_cannot() -> None:
    first, second = stems("Rain.wav", "rain.wav")
    assert first.casefold() != second.casefold()


def test_a_name_too_long_for_a_file_system_is_cut_short_and_no_other_is() -> None:
    long, short = stems("水" * 80 + ".wav", "rain.wav")  # 240 bytes
    assert len(long.encode()) <= 200
    assert short == "rain"
    assert stems("x" * 200 + ".wav") == ["x" * 200]


def test_two_long_names_that_differ_only_at_their_ends_are_told_apart() -> None:
    assert len(set(stems("x" * 230 + "1.wav", "x" * 230 + "2.wav"))) == 2


PARTS = st.text("aAb_.0", min_size=1, max_size=4).filter(lambda part: not part.startswith("."))
NAMES = st.builds(
    lambda parts, suffix: "/".join(parts) + suffix, st.lists(PARTS, min_size=1, max_size=3), st.sampled_from([".wav", ".flac"])
)


@given(names=st.sets(NAMES, max_size=20))
# The first is called what the second would be called once numbered.
@example(names={"000001__a__b.wav.wav", "a/b.wav", "a__b.wav", "c/b.wav"})
@example(names={"a/b.wav", "c/b.wav", "a__b.wav"})
def test_whatever_the_recordings_are_called_no_two_share_a_stem(names: set[str]) -> None:
    found = stems(*sorted(names))
    assert len({stem.casefold() for stem in found}) == len(names)
    assert not any("/" in stem for stem in found)


@given(names=st.sets(st.text(string.ascii_lowercase, min_size=1, max_size=3), max_size=20))
def test_among_names_that_differ_none_is_changed(names: set[str]) -> None:
    ordered = sorted(names)
    assert stems(*(f"some/folder/{name}.wav" for name in ordered)) == [PurePosixPath(name).stem for name in ordered]

"""Which stretches of a recording become segments, and what they are called."""

import string
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from real_datasets.names import segment_stems
from real_datasets.segments import cut, fade
from real_datasets.sources import Recording

ENDS_OF_BLOCKS = st.lists(st.integers(0, 500), max_size=12)


def blocks_of(samples: np.ndarray, ends: list[int]) -> Iterator[np.ndarray]:
    """`samples` in blocks that end there; some are empty."""
    yield from np.split(samples, sorted(min(end, len(samples)) for end in ends))


@given(
    length=st.integers(0, 500),
    n_samples=st.integers(1, 60),
    n_hop=st.integers(1, 120),
    ends=ENDS_OF_BLOCKS,
)
def test_segments_of_any_hop_are_plain_slices_whatever_the_blocks_they_come_in(
    length: int, n_samples: int, n_hop: int, ends: list[int]
) -> None:
    samples = np.arange(length, dtype=np.float32)
    expected = [
        (start, samples[start : start + n_samples].tolist())
        for start in range(0, length - n_samples + 1, n_hop)
    ]
    found = cut(blocks_of(samples, ends), n_samples, n_hop)
    # Looked at one by one, as they are used: a segment is not changed by what follows it, nor they
    # by it.
    assert [(start, segment.tolist()) for start, segment in found] == expected


@given(length=st.integers(0, 500), n_samples=st.integers(1, 60), ends=ENDS_OF_BLOCKS)
def test_segments_stand_end_to_end_and_leave_less_than_one_over(
    length: int, n_samples: int, ends: list[int]
) -> None:
    samples = np.arange(length)
    segments = list(cut(blocks_of(samples, ends), n_samples, n_hop=n_samples))
    assert all(len(segment) == n_samples for _, segment in segments)
    assert [start for start, _ in segments] == [int(segment[0]) for _, segment in segments]
    joined = np.concatenate([segment for _, segment in segments]) if segments else samples[:0]
    assert (joined == samples[: len(joined)]).all()
    assert 0 <= length - len(joined) < n_samples


def test_a_hop_of_more_than_a_segment_leaves_what_lies_between_out_even_when_blocks_end_in_it() -> (
    None
):
    found = [
        segment.tolist()
        for _, segment in cut(
            [np.arange(4), np.arange(4, 6), np.arange(6, 13)], n_samples=3, n_hop=7
        )
    ]
    assert found == [[0, 1, 2], [7, 8, 9]]


@given(n_samples=st.integers(2, 400), share=st.floats(0, 0.5))
def test_a_fade_rises_and_falls_alike_and_leaves_the_middle_alone(
    n_samples: int, share: float
) -> None:
    n_fade = int(share * n_samples)
    segment = np.ones(n_samples, np.float32)
    faded = fade(segment, n_fade)
    assert (segment == 1).all(), (
        "the segment itself is left as it was, since overlapping ones share samples"
    )
    assert (faded[n_fade : n_samples - n_fade] == 1).all()
    assert (faded == faded[::-1]).all()
    assert (np.diff(faded[:n_fade]) > 0).all()
    assert faded.dtype == np.float32


def test_a_fade_is_half_a_cosine_so_that_segments_that_overlap_by_it_add_up_to_the_recording() -> (
    None
):
    samples = np.random.default_rng(0).uniform(-1, 1, 1000).astype(np.float32)
    n_fade = 50
    joined = np.zeros(1000)
    for start, segment in cut([samples], n_samples=250, n_hop=200):
        joined[start : start + 250] += fade(segment, n_fade)
    # From the first fade's end to the last one's beginning; 2^-24 is half a step of float32 near 1,
    # and two are added.
    np.testing.assert_allclose(joined[n_fade:800], samples[n_fade:800], atol=2**-23)


def test_no_fade_is_the_segment_itself() -> None:
    segment = np.linspace(-1, 1, 9)
    assert (fade(segment, 0) == segment).all()


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
    lambda parts, suffix: "/".join(parts) + suffix,
    st.lists(PARTS, min_size=1, max_size=3),
    st.sampled_from([".wav", ".flac"]),
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
    assert stems(*(f"some/folder/{name}.wav" for name in ordered)) == [
        PurePosixPath(name).stem for name in ordered
    ]

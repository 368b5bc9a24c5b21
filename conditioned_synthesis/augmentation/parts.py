"""Divide recordings into what is trained on and what is held out, such that no sample is in two
parts."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np

from conditioned_synthesis.augmentation.recordings import Recording, Stretch
from conditioned_synthesis.augmentation.settings import HeldOut

Part = Literal["train", "validation", "test"]
Parts = Mapping[Part, Sequence[Recording]]
"""By part, the recordings that it has stretches of; a part that has none is missing."""

PARTS: tuple[Part, ...] = ("train", "validation", "test")
_ENOUGH = 3
"""Recordings that each held-out part should have, for whole ones to be held out."""


def divided(
    recordings: Sequence[Recording],
    given: Mapping[str, str],
    held_out: HeldOut,
    shortest: int,
    seed: int,
) -> Parts:
    """Divide recordings by the parts that they already have, or else whole where there are enough
    of them, or else each by its moments.

    Args:
        recordings: each with a stretch of `shortest` samples.
        given: by name of a recording, its part; or empty.
        shortest: number of samples that a stretch must have to be of use.
        seed: of the choice of whole recordings.
    """
    if given:
        return _whole(recordings, [given[each.name] for each in recordings])
    shares = [share for share in (held_out.validation, held_out.test) if share]
    if shares and len(recordings) * min(shares) >= _ENOUGH:
        return _whole(recordings, _by_chance(len(recordings), held_out, seed))
    parts: dict[Part, list[Recording]] = {}
    for recording in recordings:
        for part, stretches in _by_moment(recording.stretches, held_out, shortest).items():
            parts.setdefault(part, []).append(recording.with_stretches(stretches, shortest))
    return parts


def _whole(recordings: Sequence[Recording], part_of: Sequence[str]) -> Parts:
    parts: dict[Part, list[Recording]] = {}
    for part in PARTS:
        own = [each for each, its in zip(recordings, part_of, strict=True) if its == part]
        if own:
            parts[part] = own
    return parts


def _by_chance(n: int, held_out: HeldOut, seed: int) -> list[str]:
    place = (np.random.default_rng(seed).permutation(n) + 0.5) / n
    return [part_at(each, held_out) for each in place]


def part_at(place: float, held_out: HeldOut) -> Part:
    """Return the part at a place of 0..1, where each part has its share."""
    if place < held_out.validation:
        return "validation"
    return "test" if place < held_out.validation + held_out.test else "train"


def _by_moment(
    stretches: Sequence[Stretch], held_out: HeldOut, shortest: int
) -> dict[Part, list[Stretch]]:
    """Divide the stretches of one recording: blocks of it, evenly spread, are held out. Where it is
    too short for all parts, it is trained on first, then there is validation."""
    total = sum(end - begin for begin, end in stretches)
    shares: dict[Part, float] = {"validation": held_out.validation, "test": held_out.test}
    smallest = min((share for share in shares.values() if share), default=1.0)
    blocks = list(_blocks(stretches, max(shortest, int(smallest * total))))
    wanted: list[Part] = []
    for part, share in shares.items():
        n = max(1, round(share * len(blocks))) if share else 0
        wanted.extend(part for _ in range(min(n, len(blocks) - 1 - len(wanted))))
    held_out_at: dict[int, Part] = {
        int((index + 0.5) * len(blocks) / len(wanted)): part
        for index, part in enumerate(_interleaved(wanted))
    }
    own: dict[Part, list[Stretch]] = {}
    for index, block in enumerate(blocks):
        own.setdefault(held_out_at.get(index, "train"), []).append(block)
    return {part: list(_joined(each)) for part, each in own.items()}


def _blocks(stretches: Sequence[Stretch], length: int) -> Iterator[Stretch]:
    """Cut stretches into equal blocks of `length` samples or more, as far as they are as long."""
    for begin, end in stretches:
        edges = np.linspace(begin, end, max(1, (end - begin) // length) + 1).astype(int).tolist()
        yield from itertools.pairwise(edges)


def _interleaved(parts: Sequence[Part]) -> list[Part]:
    """Return the same parts, each evenly spread.

    >>> _interleaved(["validation", "validation", "test", "test"])
    ['validation', 'test', 'validation', 'test']
    """
    counts = {part: parts.count(part) for part in parts}
    places = [(index + 0.5) / n for part, n in counts.items() for index in range(n)]
    return [parts[index] for index in np.argsort(places, kind="stable")]


def _joined(blocks: Sequence[Stretch]) -> Iterator[Stretch]:
    """Yield stretches: blocks of which one ends where the next begins are one."""
    begin, end = blocks[0]
    for first, last in blocks[1:]:
        if first != end:
            yield begin, end
            begin = first
        end = last
    yield begin, end

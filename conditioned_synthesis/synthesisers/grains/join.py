"""The place where a unit is joined to what plays: there, where their waveforms agree most."""

import numba
import numpy as np

from conditioned_synthesis.synthesisers.grains.sizes import INNER, Sizes

_FAST = {"contract", "reassoc", "nsz"}


@numba.njit(fastmath=_FAST, **INNER)
def glimpse(
    out: np.ndarray, n: int, sound: np.ndarray, position: float, step: float, width: int
) -> None:
    """Write a rough version of a sound: sums of `width` samples of all channels, at a speed.

    Args:
        out: [n or more] float64.
        n: how many to write.
        sound: [channels, samples] int16.
        position: where the first is, in samples.
        step: from one to the next, in samples.
        width: number of samples in a sum.
    """
    for index in range(n):
        first = int(position + index * step)
        total = 0.0
        for channel in range(len(sound)):
            for sample in range(first, first + width):
                total += sound[channel, sample]
        out[index] = total


@numba.njit(fastmath=_FAST, **INNER)
def product(one: np.ndarray, other: np.ndarray, n: int, offset: int) -> float:
    """Return the sum of one[:n] * other[offset : offset + n]."""
    total = 0.0
    shifted = other[offset : offset + n]
    for index in range(n):
        total += one[index] * shifted[index]
    return total


@numba.njit(**INNER)
def best_place(one: np.ndarray, other: np.ndarray, n: int, n_places: int) -> tuple[int, float]:
    """Return the place, of the first `n_places`, where other[place : place + n] agrees most with
    one[:n], and their normalised correlation there, -1..1.

    Both hold whole numbers, of which sums of products are exact in any order: so every player, in
    whatever language, finds the same place.
    """
    of_one, of_other = product(one, one, n, 0), product(other, other, n, 0)
    best, highest = 0, -2.0
    for place in range(n_places):
        power = of_one * of_other
        found = product(one, other, n, place) / np.sqrt(power) if power > 0.0 else 0.0
        if found > highest:
            best, highest = place, found
        of_other += other[place + n] * other[place + n] - other[place] * other[place]
    return best, highest


@numba.njit(**INNER)
def best_offset(
    sizes: Sizes,
    sound: np.ndarray,
    position: float,
    step: float,
    other: np.ndarray,
    start: float,
    other_step: float,
    of_one: np.ndarray,
    of_other: np.ndarray,
) -> tuple[float, float]:
    """Return where a sound begins so that it agrees most with another over a crossfade, and their
    correlation there.

    A search of sums of a few samples first, then, around the best of them, of single samples.

    Args:
        sound, position, step: what plays: its samples, where it is, its speed.
        other, start, other_step: what begins: its samples, the first place where it may, its speed.
        of_one, of_other: room for what is compared, [fade], [fade + search + 1] float64.

    Returns: the position in `other`, in samples; the correlation, -1..1.

    Shape:
        sound, other: [channels, samples] int16
    """
    coarse = sizes.coarse
    n, n_places = sizes.fade // coarse, sizes.search // coarse + 1
    glimpse(of_one, n, sound, position, coarse * step, coarse)
    glimpse(of_other, n + n_places, other, start, coarse * other_step, coarse)
    best, _ = best_place(of_one, of_other, n, n_places)
    first = max(0, (best - 1) * coarse + 1)
    last = min(sizes.search, (best + 1) * coarse - 1)
    glimpse(of_one, sizes.fade, sound, position, step, 1)
    begin = start + first * other_step
    n_places = last - first + 1
    glimpse(of_other, sizes.fade + n_places, other, begin, other_step, 1)
    best, highest = best_place(of_one, of_other, sizes.fade, n_places)
    return start + (first + best) * other_step, highest

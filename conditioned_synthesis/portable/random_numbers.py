"""The random numbers of portable instruments, from the hash that every player has.

Purposes keep draws for different things apart.
"""

import numba
import numpy as np

from conditioned_synthesis.dsp.integer_hash import hash_of

LOOP, PLACE, NOISE, SIDE = 1, 2, 3, 4
"""Purposes: a band's noise; where its loop begins; what envelopes are made of; noise that goes into
left and right with opposite signs."""


@numba.njit(cache=True)
def hashes(seed: int, numbers: np.ndarray, purpose: int, item: int) -> np.ndarray:
    """Return `hash_of` for each of many numbers. numbers: [n] int64 -> [n] int64."""
    found = np.empty(len(numbers), np.int64)
    for index in range(len(numbers)):
        found[index] = hash_of(seed, numbers[index], purpose, item)
    return found


def normals(
    seed: int, numbers: np.ndarray, purpose: int, item: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return two independent, normally distributed numbers for each number (G. Box and M. Muller,
    1958). numbers: [n] int64 -> [n], [n]."""
    first = (hashes(seed, numbers, purpose, 2 * item) + 1.0) / 4294967296.0  # above 0
    angle = hashes(seed, numbers, purpose, 2 * item + 1) * (2 * np.pi / 4294967296.0)
    radius = np.sqrt(-2.0 * np.log(first))
    return radius * np.cos(angle), radius * np.sin(angle)

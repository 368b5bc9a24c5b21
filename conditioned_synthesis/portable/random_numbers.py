"""The random numbers of portable instruments, from the hash that every player has.

Purposes keep draws for different things apart.
"""

import numpy as np

from conditioned_synthesis.dsp.integer_hash import MASK

LOOP, PLACE, NOISE, SIDE = 1, 2, 3, 4
"""Purposes: a band's noise; where its loop begins; what envelopes are made of; noise that goes into
left and right with opposite signs."""

_GOLDEN = np.uint64(0x9E3779B9)


def hashes(seed: int, numbers: np.ndarray, purpose: int, item: int) -> np.ndarray:
    """Return `integer_hash.hash_of` for many numbers at once, [...] uint64 below 2**32."""
    mask = np.uint64(MASK)
    drawn = _mixed(np.uint64(seed) + _GOLDEN & mask)
    for word in (np.asarray(numbers).astype(np.uint64), np.uint64(purpose), np.uint64(item)):
        drawn = _mixed((drawn ^ word) + _GOLDEN & mask)
    return drawn


def normals(
    seed: int, numbers: np.ndarray, purpose: int, item: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return two independent, normally distributed numbers for each number (G. Box and M. Muller,
    1958)."""
    numbers = np.asarray(numbers)
    first = (hashes(seed, numbers, purpose, 2 * item) + 1.0) / 4294967296.0  # above 0
    angle = hashes(seed, numbers, purpose, 2 * item + 1) * (2 * np.pi / 4294967296.0)
    radius = np.sqrt(-2.0 * np.log(first))
    return radius * np.cos(angle), radius * np.sin(angle)


def _mixed(word: np.ndarray | np.uint64) -> np.ndarray:
    """Return `integer_hash.lowbias32` of each."""
    mask = np.uint64(MASK)
    word = np.asarray(word, dtype=np.uint64)
    word = word ^ word >> np.uint64(16)
    word = word * np.uint64(0x7FEB352D) & mask
    word = word ^ word >> np.uint64(15)
    word = word * np.uint64(0x846CA68B) & mask
    return word ^ word >> np.uint64(16)

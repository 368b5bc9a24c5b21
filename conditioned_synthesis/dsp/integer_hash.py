"""Random numbers from a small hash of integers, the same in any language.

Generators with a state must be drawn from in one order, and each library has its own. A hash of
(seed, number, purpose) needs neither: number 7 is the same whatever was drawn before it, and the
few lines below are quickly written in JavaScript or C.
"""

import numba

MASK = 0xFFFFFFFF
_GOLDEN = 0x9E3779B9  # 2**32 over the golden ratio, so that zeros do not stay zero


@numba.njit(cache=True)
def lowbias32(word: int) -> int:
    """Return a 32-bit hash of a 32-bit integer; each bit of one depends on each of the other.

    C. Wellons, "Prospecting for hash functions", 2018, its `lowbias32` (public domain). The second
    product overflows 64 bits, of which only the lower 32 count.

    >>> [hex(lowbias32(word)) for word in (0, 1, 0xFFFFFFFF)]
    ['0x0', '0x688990c0', '0x6768824a']
    """
    word ^= word >> 16
    word = (word * 0x7FEB352D) & MASK
    word ^= word >> 15
    word = (word * 0x846CA68B) & MASK
    return word ^ (word >> 16)


@numba.njit(cache=True)
def hash_of(seed: int, number: int, purpose: int, item: int = 0) -> int:
    """Return a 32-bit hash.

    Args:
        seed: of all, 32 bits.
        number: what it is drawn for, such as the number of a unit, 32 bits.
        purpose: what it decides there.
        item: which of several things it is drawn for.
    """
    drawn = lowbias32((seed + _GOLDEN) & MASK)
    drawn = lowbias32(((drawn ^ number) + _GOLDEN) & MASK)
    drawn = lowbias32(((drawn ^ purpose) + _GOLDEN) & MASK)
    return lowbias32(((drawn ^ item) + _GOLDEN) & MASK)


@numba.njit(cache=True)
def uniform(seed: int, number: int, purpose: int, item: int = 0) -> float:
    """Return a random number, 0 <= x < 1. Arguments as `hash_of`."""
    return hash_of(seed, number, purpose, item) / 4294967296.0


def seed_of(seed: int) -> int:
    """Return 32 bits of a seed of any size, all of whose bits count.

    >>> seed_of(7), seed_of(2**32), seed_of(2**40)
    (7, 1, 256)
    """
    folded = 0
    while seed:
        folded ^= seed & MASK
        seed >>= 32
    return folded

"""The hash behind random numbers that every language makes the same."""

import numpy as np

from conditioned_synthesis.dsp.integer_hash import hash_of, lowbias32, seed_of, uniform

KNOWN = [3150628639, 480752577, 2363707886, 1159198371, 450680253, 656633555]
ARGUMENTS = [
    (0, 0, 0, 0),
    (1, 0, 0, 0),
    (0, 1, 0, 0),
    (0, 0, 1, 0),
    (0, 0, 0, 1),
    (2**32 - 1, 7, 3, 99),
]


def test_the_hash_is_the_published_one_in_plain_integers():
    """Written out once more, with integers of any size: what a port must give."""

    def published(x: int) -> int:
        x ^= x >> 16
        x = x * 0x7FEB352D % 2**32
        x ^= x >> 15
        x = x * 0x846CA68B % 2**32
        return x ^ x >> 16

    words = [0, 1, 2, 0x80000000, 0xDEADBEEF, 2**32 - 1]
    assert [lowbias32(word) for word in words] == [published(word) for word in words]


def test_known_values_that_a_port_must_give():
    assert [hash_of(*each) for each in ARGUMENTS] == KNOWN


def test_numbers_are_uniform_and_independent_of_one_another():
    drawn = np.array(
        [[uniform(5, number, purpose) for purpose in range(2)] for number in range(4000)]
    )
    # 20 bins of 200 each: chi-squared with 19 degrees of freedom is below 43.8 in 999 of 1,000 cases.
    for column in drawn.T:
        counts = np.histogram(column, 20, (0, 1))[0]
        assert ((counts - 200) ** 2 / 200).sum() < 43.8
    # The standard deviation of a correlation of 4,000 pairs is 0.016.
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.05
    assert abs(np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1]) < 0.05


def test_every_bit_of_a_long_seed_counts():
    seeds = [seed_of(0), *(seed_of(1 << bit) for bit in (0, 31, 33, 62))]
    assert len(set(seeds)) == len(seeds)

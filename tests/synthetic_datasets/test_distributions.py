"""Each distribution keeps its law."""

import random
from collections.abc import Mapping
from itertools import product
from math import prod
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic_datasets.distributions import Distribution, Variable
from synthetic_datasets.distributions.random_uniform import RandomUniform
from synthetic_datasets.distributions.uniform_joint import UniformJoint
from synthetic_datasets.distributions.uniform_linearly_spaced import UniformLinearlySpaced

NAMES = ("avgRate", "minRadius", "maxRadius")

# Ranges with ends of three decimals, as the plan rounds to; 0.1 wide at least.
ranges = st.dictionaries(
    st.sampled_from(NAMES),
    st.tuples(st.integers(0, 900), st.integers(100, 1000)).map(
        lambda ends: (ends[0] / 1000, min(1000, sum(ends)) / 1000)
    ),
    min_size=1,
)
seeds = st.integers(0, 2**32)


def draw(
    distribution: Distribution, ranges: Mapping[str, tuple[float, float]], seed: int = 0
) -> dict[str, np.ndarray]:
    """Return each control's value in every clip."""
    rng = random.Random(seed)
    rows = list(
        distribution.values({name: Variable(rng, *ends) for name, ends in ranges.items()}, rng)
    )
    assert len(rows) == distribution.n_planned
    return {name: np.array([row[name] for row in rows]) for name in ranges}


@given(
    ranges=ranges,
    n_clips=st.integers(1, 100),
    seed=seeds,
    order=st.sampled_from(["shuffled", "thesis"]),
)
def test_linearly_spaced_values_are_each_used_once_ends_included(
    ranges: dict[str, tuple[float, float]],
    n_clips: int,
    seed: int,
    order: Literal["shuffled", "thesis"],
) -> None:
    # 100 values in 0.1 lie 0.001 apart, what three decimals can still tell.
    values = draw(UniformLinearlySpaced(n_clips=n_clips, order=order), ranges, seed)

    for name, (low, high) in ranges.items():
        in_order = np.sort(values[name])
        assert in_order[0] == low
        if n_clips > 1:
            assert in_order[-1] == high
            np.testing.assert_allclose(
                np.diff(in_order), (high - low) / (n_clips - 1), atol=0.001 + 1e-9
            )
            assert len(np.unique(in_order)) == n_clips


@pytest.mark.parametrize("order", ["shuffled", "thesis"])
def test_linearly_spaced_controls_are_in_orders_of_their_own(
    order: Literal["shuffled", "thesis"],
) -> None:
    # Two independent orders of 200 values correlate by 0 +- 0.07; one order shared would give 1.
    values = draw(
        UniformLinearlySpaced(n_clips=200, order=order), {"avgRate": (0, 1), "minRadius": (0, 1)}
    )

    assert abs(np.corrcoef(values["avgRate"], values["minRadius"])[0, 1]) < 0.3
    assert abs(np.corrcoef(values["avgRate"], np.arange(200))[0, 1]) < 0.3


@given(
    ranges=ranges,
    ratios=st.lists(st.integers(1, 3), min_size=3, max_size=3),
    n_clips=st.integers(1, 90),
)
def test_joint_values_are_all_combinations_the_last_control_fastest(
    ranges: dict[str, tuple[float, float]], ratios: list[int], n_clips: int
) -> None:
    # 90 clips ask for 92 values of one control at most, which three decimals can still tell in a range of 0.1.
    distribution = UniformJoint(n_clips=n_clips, ratios=dict(zip(ranges, ratios, strict=False)))

    values = draw(distribution, ranges)

    per_control = [sorted(set(values[name])) for name in ranges]
    assert [len(values) for values in per_control] == list(distribution.counts.values())
    assert list(zip(*values.values(), strict=True)) == list(product(*per_control))
    for name, (low, high) in ranges.items():
        assert values[name].min() == low
        assert values[name].max() == (high if distribution.counts[name] > 1 else low)


@given(ratios=st.lists(st.integers(1, 5), min_size=1, max_size=4), n_clips=st.integers(1, 100_000))
def test_joint_counts_are_the_ratios_multiplied_until_their_product_is_nearest(
    ratios: list[int], n_clips: int
) -> None:
    distribution = UniformJoint(
        n_clips=n_clips, ratios={str(n): ratio for n, ratio in enumerate(ratios)}
    )

    # 100,000 is the largest factor that one control with ratio 1 can need; a slow search is right for a test.
    products = (prod(ratio * factor for ratio in ratios) for factor in range(1, 100_002))
    nearest = next(
        n for n, following in pairs(products) if abs(following - n_clips) >= abs(n - n_clips)
    )
    assert distribution.n_planned == nearest
    counts = np.array(list(distribution.counts.values()))
    assert len(set(counts / ratios)) == 1


def pairs(numbers):  # type: ignore[no-untyped-def]
    before = next(numbers)
    for number in numbers:
        yield before, number
        before = number


@pytest.mark.parametrize(
    ("ratios", "n_clips", "n_planned"),
    [
        ((1, 1, 1, 1), 10_000, 10_000),  # the thesis's
        ((1, 1, 1), 1_000, 1_000),  # 1000 ** (1/3) is 9.999999999999998
        ((1, 2), 100, 98),  # 7 x 14; 8 x 16 = 128 is further
        ((1, 2), 3, 2),
        ((3, 3), 1, 9),  # never less than the ratios themselves
    ],
)
def test_joint_counts_of_some_cases(ratios: tuple[int, ...], n_clips: int, n_planned: int) -> None:
    assert (
        UniformJoint(
            n_clips=n_clips, ratios={str(n): ratio for n, ratio in enumerate(ratios)}
        ).n_planned
        == n_planned
    )


@given(ranges=ranges, seed=seeds, chance_new=st.sampled_from([0.0, 0.3, 1.0]))
def test_random_values_stay_within_their_ranges(
    ranges: dict[str, tuple[float, float]], seed: int, chance_new: float
) -> None:
    values = draw(RandomUniform(n_clips=40, chance_new=chance_new), ranges, seed)

    for name, (low, high) in ranges.items():
        assert low <= values[name].min()
        assert values[name].max() <= high


def test_with_no_chance_of_a_new_value_a_control_keeps_its_first() -> None:
    values = draw(
        RandomUniform(n_clips=100, chance_new=0), {"avgRate": (0, 1), "minRadius": (0, 1)}
    )

    assert len(set(values["avgRate"])) == len(set(values["minRadius"])) == 1
    assert values["avgRate"][0] != values["minRadius"][0]


def test_with_every_chance_the_values_are_uniform_and_independent() -> None:
    values = draw(
        RandomUniform(n_clips=4000, chance_new=1), {"avgRate": (0.2, 0.8), "minRadius": (0, 1)}
    )

    # 4,000 draws over a width of 0.6: the mean's standard error is 0.0027, an eighth's is 0.52 % of the draws.
    assert values["avgRate"].mean() == pytest.approx(0.5, abs=5 * 0.0027)
    shares = np.histogram(values["avgRate"], 8, (0.2, 0.8))[0] / 4000
    np.testing.assert_allclose(shares, 1 / 8, atol=5 * 0.0052)
    assert abs(np.corrcoef(values["avgRate"], values["minRadius"])[0, 1]) < 5 / np.sqrt(4000)


def test_a_chance_in_between_keeps_about_that_share_of_values() -> None:
    values = draw(
        RandomUniform(n_clips=4000, chance_new=0.3), {"avgRate": (0, 1), "minRadius": (0, 1)}
    )

    # 4,000 draws of a chance of 0.3 have a standard error of 0.0072; one new value in 1,000 is the old one by chance.
    changes = [np.mean(np.diff(values[name]) != 0) for name in values]
    np.testing.assert_allclose(changes, 0.3, atol=5 * 0.0072)
    # The controls change by themselves, not all at once: independent, 9 % of clips change both.
    both = np.mean((np.diff(values["avgRate"]) != 0) & (np.diff(values["minRadius"]) != 0))
    assert both == pytest.approx(0.09, abs=5 * 0.0045)


def test_each_control_may_have_a_chance_of_its_own() -> None:
    # As in the thesis's settings: a fresh rate for every clip, and other values for about every
    # second one.
    ranges = {"avgRate": (0, 1), "minRadius": (0, 1), "maxRadius": (0, 1)}
    values = draw(
        RandomUniform(n_clips=4000, chance_new={"maxRadius": 0, "avgRate": 1, "minRadius": 0.5}),
        ranges,
    )

    # 4,000 draws of a chance of 0.5 have a standard error of 0.0079; one new value in 1,000 is the old one by chance.
    changes = {name: np.mean(np.diff(values[name]) != 0) for name in values}
    assert changes == {
        "avgRate": pytest.approx(1, abs=0.005),
        "minRadius": pytest.approx(0.5, abs=5 * 0.0079),
        "maxRadius": 0,
    }


@given(ranges=ranges, seed=seeds, chance_new=st.sampled_from([0.0, 0.3, 1.0]))
def test_one_chance_is_the_same_as_that_chance_for_each(
    ranges: dict[str, tuple[float, float]], seed: int, chance_new: float
) -> None:
    one = draw(RandomUniform(n_clips=20, chance_new=chance_new), ranges, seed)
    of_each = draw(
        RandomUniform(n_clips=20, chance_new=dict.fromkeys(ranges, chance_new)), ranges, seed
    )

    assert all(np.array_equal(one[name], of_each[name]) for name in ranges)

"""A Sobol plan is even in one control and in all of them together, and grows without changing."""

import random
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from synthetic_datasets.config import SyntheticConfig
from synthetic_datasets.distributions import DECIMALS, Variable
from synthetic_datasets.distributions.sobol import Sobol
from synthetic_datasets.plan import make_plan

RANGES = {
    "avgRate": (0.2, 0.75),
    "minRadius": (0.1, 0.5),
    "maxRadius": (0.5, 0.8),
    "expRadius": (0.2, 0.8),
}
WHOLE = dict.fromkeys(RANGES, (0.0, 1.0))

seeds = st.integers(0, 2**32)


def draw(
    n_clips: int, ranges: Mapping[str, tuple[float, float]] = WHOLE, seed: int = 0
) -> np.ndarray:
    """Return the values of the controls, [clips, controls]."""
    rng = random.Random(seed)
    rows = Sobol(n_clips=n_clips).values(
        {name: Variable(rng, *ends) for name, ends in ranges.items()}, rng
    )
    values = np.array([[row[name] for name in ranges] for row in rows])
    assert values.shape == (n_clips, len(ranges))
    return values


@given(n_clips=st.integers(1, 300), seed=seeds, n_controls=st.integers(1, 4))
def test_any_number_of_clips_lies_within_the_ranges_at_three_decimals(
    n_clips: int, seed: int, n_controls: int
) -> None:
    ranges = dict(list(RANGES.items())[:n_controls])

    values = draw(n_clips, ranges, seed)

    for column, (low, high) in zip(values.T, ranges.values(), strict=True):
        assert low <= column.min()
        assert column.max() <= high
    np.testing.assert_array_equal(values, values.round(DECIMALS))


@given(n_clips=st.integers(1, 300), more=st.integers(0, 300), seed=seeds)
def test_a_longer_plan_begins_with_the_shorter_one(n_clips: int, more: int, seed: int) -> None:
    np.testing.assert_array_equal(
        draw(n_clips + more, seed=seed)[:n_clips], draw(n_clips, seed=seed)
    )


def test_the_seed_decides(small: Callable[..., SyntheticConfig]) -> None:
    distribution = {"type": "sobol", "n_clips": 50}

    plans = [make_plan(small(distribution=distribution, seed=seed)) for seed in (3, 3, 4)]

    pd.testing.assert_frame_equal(plans[0], plans[1])
    assert not plans[0].equals(plans[2])


def test_a_whole_plan_grows_without_changing_volumes_too(
    small: Callable[..., SyntheticConfig],
) -> None:
    short, long = (
        make_plan(small(distribution={"type": "sobol", "n_clips": n_clips})) for n_clips in (50, 77)
    )

    pd.testing.assert_frame_equal(short, long.head(50))


@given(power=st.integers(0, 9), fewer=st.integers(0, 9), seed=seeds)
def test_of_a_power_of_two_clips_every_equal_part_of_a_control_has_the_same_number(
    power: int, fewer: int, seed: int
) -> None:
    n_bins = 2 ** min(power, fewer)

    values = draw(2**power, seed=seed)

    # Rounding moves a value by 0.0005 at most, and so only values that near to an edge into the bin
    # beside.
    half_step = 0.5 * 10**-DECIMALS + 1e-12
    for column in values.T:
        for edge in np.arange(1, n_bins) / n_bins:
            below = round(edge * 2**power)
            assert np.sum(column < edge - half_step) <= below <= np.sum(column <= edge + half_step)


# Of random's discrepancy, measured over 50 seeds: at most 0.065 for 64 clips, 0.024 for 777, which
# is no power of two.
@pytest.mark.parametrize(("n_clips", "share"), [(64, 0.13), (777, 0.05)])
def test_all_controls_together_are_far_more_even_than_at_random(n_clips: int, share: float) -> None:
    at_random = np.mean(
        [qmc.discrepancy(np.random.default_rng(seed).random((n_clips, 4))) for seed in range(10)]
    )

    assert max(qmc.discrepancy(draw(n_clips, seed=seed)) for seed in range(5)) < share * at_random

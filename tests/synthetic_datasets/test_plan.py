"""A plan is the table that was asked for, before anything sounds."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthetic_datasets.config import SyntheticConfig
from synthetic_datasets.plan import make_plan, sample_evenly
from texturelib.config import load_config

ROOT = Path(__file__).parents[2]
THESIS_TABLE = ROOT.parent / "shared" / "thesis" / "SDT_FluidFlow.csv"

Small = Callable[..., SyntheticConfig]


@pytest.fixture(scope="module")
def thesis_plan() -> pd.DataFrame:
    return make_plan(load_config(ROOT / "configs" / "thesis_waterflow" / "synthetic.json", SyntheticConfig))


@pytest.mark.skipif(not THESIS_TABLE.exists(), reason=f"the thesis's table is not at {THESIS_TABLE}")
def test_the_thesis_config_plans_the_published_table_value_for_value(thesis_plan: pd.DataFrame) -> None:
    published = pd.read_csv(THESIS_TABLE)

    assert thesis_plan.columns.tolist() == ["file_name", "avgRate", "minRadius", "maxRadius", "expRadius", "volume"]
    assert thesis_plan["file_name"].tolist() == published["AudioFileName"].tolist()
    np.testing.assert_array_equal(thesis_plan.iloc[:, 1:].to_numpy(), published.iloc[:, 1:].to_numpy())


def test_the_thesis_config_plans_all_10000_combinations_of_ten_values(thesis_plan: pd.DataFrame) -> None:
    # Without the published table: its first row, its grid, and its size, as the thesis reports them.
    assert thesis_plan.iloc[0].tolist() == ["SDT_FluidFlow_1.wav", 0.2, 0.1, 0.5, 0.2, 0.696]
    assert len(thesis_plan.drop_duplicates(["avgRate", "minRadius", "maxRadius", "expRadius"])) == 10_000
    assert thesis_plan["expRadius"].iloc[[0, 9, 10]].tolist() == [0.2, 0.8, 0.2]  # the last control runs fastest
    assert thesis_plan["volume"].between(0.5, 0.75).all()


def test_the_same_seed_plans_the_same_and_another_seed_something_else(small: Small) -> None:
    pd.testing.assert_frame_equal(make_plan(small(seed=5)), make_plan(small(seed=5)))
    assert not make_plan(small(seed=5)).equals(make_plan(small(seed=6)))


def test_files_are_numbered_from_one_in_the_configs_own_words(small: Small) -> None:
    plan = make_plan(small(file_name="{number}_rain.wav"))

    assert plan["file_name"].tolist() == [f"{number}_rain.wav" for number in range(1, 13)]


def test_a_control_that_is_held_is_no_column(small: Small) -> None:
    engine = {"type": "liquid", "controls": {"avgRate": [0.2, 0.75], "minRadius": 0.3, "maxRadius": 0.6, "expRadius": 0.5}}

    assert make_plan(small(engine=engine)).columns.tolist() == ["file_name", "avgRate", "volume"]


def test_controls_stand_in_the_engines_order_whatever_the_configs(small: Small) -> None:
    engine = {"type": "liquid", "controls": {"expRadius": [0, 1], "maxRadius": 0.6, "avgRate": [0, 1], "minRadius": 0.3}}

    assert make_plan(small(engine=engine)).columns.tolist()[1:3] == ["avgRate", "expRadius"]


def test_the_volume_is_fresh_for_each_clip_or_the_same_for_all(small: Small) -> None:
    distribution = {"type": "random_uniform", "n_clips": 50}
    fresh = make_plan(small(distribution=distribution, volume={"low": 0.25, "high": 0.75}))["volume"]
    held = make_plan(small(distribution=distribution, volume={"low": 0.25, "high": 0.75, "chance_new": 0}))["volume"]

    assert fresh.between(0.25, 0.75).all()
    assert fresh.nunique() > 40  # of 501 values of 3 decimals, 50 draws; 2.4 pairs are equal on average
    assert held.nunique() == 1


@pytest.mark.parametrize(("n_clips", "expected"), [(None, range(10)), (1, [0]), (2, [0, 9]), (4, [0, 3, 6, 9]), (99, range(10))])
def test_a_sample_is_spread_evenly_with_both_ends_and_keeps_its_numbers(n_clips: int | None, expected: list[int]) -> None:
    plan = pd.DataFrame({"file_name": [f"{number}.wav" for number in range(10)]})

    assert sample_evenly(plan, n_clips).index.tolist() == list(expected)

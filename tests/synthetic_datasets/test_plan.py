"""A plan is the table that was asked for, before anything sounds."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from synthetic_datasets.config import SyntheticConfig
from synthetic_datasets.plan import make_plan, sample_evenly
from synthetic_datasets.plan_picture import bin_edges, plan_picture
from texturelib.config import load_config
from texturelib.files import read_table, shown

ROOT = Path(__file__).parents[2]
THESIS_TABLE = ROOT.parent / "shared" / "thesis" / "SDT_FluidFlow.csv"

Small = Callable[..., SyntheticConfig]
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def thesis_plan() -> pd.DataFrame:
    return make_plan(
        load_config(ROOT / "configs" / "thesis_waterflow" / "synthetic.json", SyntheticConfig)
    )


@pytest.mark.skipif(
    not THESIS_TABLE.exists(), reason=f"the thesis's table is not at {THESIS_TABLE}"
)
def test_the_thesis_config_plans_the_published_table_value_for_value(
    thesis_plan: pd.DataFrame,
) -> None:
    published = pd.read_csv(THESIS_TABLE)

    assert thesis_plan.columns.tolist() == [
        "file_name",
        "avgRate",
        "minRadius",
        "maxRadius",
        "expRadius",
        "volume",
    ]
    assert thesis_plan["file_name"].tolist() == published["AudioFileName"].tolist()
    np.testing.assert_array_equal(
        thesis_plan.iloc[:, 1:].to_numpy(), published.iloc[:, 1:].to_numpy()
    )


def test_the_thesis_config_plans_all_10000_combinations_of_ten_values(
    thesis_plan: pd.DataFrame,
) -> None:
    # Without the published table: its first row, its grid, and its size, as the thesis reports
    # them.
    assert thesis_plan.iloc[0].tolist() == ["SDT_FluidFlow_1.wav", 0.2, 0.1, 0.5, 0.2, 0.696]
    assert (
        len(thesis_plan.drop_duplicates(["avgRate", "minRadius", "maxRadius", "expRadius"]))
        == 10_000
    )
    # The last control runs fastest.
    assert thesis_plan["expRadius"].iloc[[0, 9, 10]].tolist() == [0.2, 0.8, 0.2]
    assert thesis_plan["volume"].between(0.5, 0.75).all()


def test_the_thesis_order_plans_its_published_table_of_1000_linearly_spaced_clips() -> None:
    thesis = ROOT / "configs" / "thesis_waterflow" / "synthetic.json"
    distribution = {"type": "uniform_linearly_spaced", "n_clips": 1000, "order": "thesis"}
    plan = make_plan(
        load_config(thesis, SyntheticConfig, [f"distribution={json.dumps(distribution)}"])
    ).set_index("file_name")

    # Rows of that table, late ones: a value is one of those that no clip before has, so a slip
    # anywhere would show.
    assert plan.loc["SDT_FluidFlow_841.wav"].tolist() == [0.69, 0.25, 0.556, 0.587, 0.665]
    assert plan.loc["SDT_FluidFlow_900.wav"].tolist() == [0.647, 0.201, 0.795, 0.263, 0.583]
    assert plan.loc["SDT_FluidFlow_950.wav"].tolist() == [0.415, 0.381, 0.738, 0.269, 0.553]
    assert plan.loc["SDT_FluidFlow_1000.wav"].tolist() == [0.573, 0.463, 0.56, 0.685, 0.649]


def test_linearly_spaced_plans_are_what_they_were_where_no_order_is_named(small: Small) -> None:
    # Sets that were made before there was a choice are still made by their configs.
    plan = make_plan(small(distribution={"type": "uniform_linearly_spaced", "n_clips": 5}, seed=3))

    assert plan.drop(columns="file_name").iloc[[0, 4]].to_numpy().tolist() == [
        [0.688, 0.3, 0.65, 0.2, 0.668],
        [0.5, 0.5, 0.8, 0.35, 0.68],
    ]


def test_the_same_seed_plans_the_same_and_another_seed_something_else(small: Small) -> None:
    pd.testing.assert_frame_equal(make_plan(small(seed=5)), make_plan(small(seed=5)))
    assert not make_plan(small(seed=5)).equals(make_plan(small(seed=6)))


def test_files_are_numbered_from_one_in_the_configs_own_words(small: Small) -> None:
    plan = make_plan(small(file_name="{number}_rain.wav"))

    assert plan["file_name"].tolist() == [f"{number}_rain.wav" for number in range(1, 13)]


def test_a_control_that_is_held_is_no_column(small: Small) -> None:
    engine = {
        "type": "liquid",
        "controls": {"avgRate": [0.2, 0.75], "minRadius": 0.3, "maxRadius": 0.6, "expRadius": 0.5},
    }

    assert make_plan(small(engine=engine)).columns.tolist() == ["file_name", "avgRate", "volume"]


def test_controls_stand_in_the_engines_order_whatever_the_configs(small: Small) -> None:
    engine = {
        "type": "liquid",
        "controls": {"expRadius": [0, 1], "maxRadius": 0.6, "avgRate": [0, 1], "minRadius": 0.3},
    }

    assert make_plan(small(engine=engine)).columns.tolist()[1:3] == ["avgRate", "expRadius"]


def test_the_volume_is_fresh_for_each_clip_or_the_same_for_all(small: Small) -> None:
    distribution = {"type": "random_uniform", "n_clips": 50}
    fresh = make_plan(small(distribution=distribution, volume={"low": 0.25, "high": 0.75}))[
        "volume"
    ]
    held = make_plan(
        small(distribution=distribution, volume={"low": 0.25, "high": 0.75, "chance_new": 0})
    )["volume"]

    assert fresh.between(0.25, 0.75).all()
    # Of 501 values of 3 decimals, 50 draws; 2.4 pairs are equal on average.
    assert fresh.nunique() > 40
    assert held.nunique() == 1


@pytest.mark.parametrize(
    ("n_clips", "expected"),
    [(None, range(10)), (1, [0]), (2, [0, 9]), (4, [0, 3, 6, 9]), (99, range(10))],
)
def test_a_sample_is_spread_evenly_with_both_ends_and_keeps_its_numbers(
    n_clips: int | None, expected: list[int]
) -> None:
    plan = pd.DataFrame({"file_name": [f"{number}.wav" for number in range(10)]})

    assert sample_evenly(plan, n_clips).index.tolist() == list(expected)


# 2 x 2 x 2 x 2 values are 16 clips, 3 x 3 x 3 x 3 are 81: 40 asked are nearer to 16.
DISTRIBUTIONS = [
    {"type": "random_uniform", "n_clips": 40, "chance_new": 0.1},
    {"type": "uniform_linearly_spaced", "n_clips": 40},
    {
        "type": "uniform_joint",
        "n_clips": 40,
        "ratios": dict.fromkeys(("avgRate", "minRadius", "maxRadius", "expRadius"), 1),
    },
    {"type": "sobol", "n_clips": 40},
]


@pytest.mark.pictures
@pytest.mark.slow
@pytest.mark.parametrize(
    "distribution", DISTRIBUTIONS, ids=lambda distribution: distribution["type"]
)
def test_the_command_writes_the_table_and_a_picture_beside_it(
    command: Command,
    write_config: Callable[..., Path],
    small: Small,
    tmp_path: Path,
    distribution: dict[str, Any],
) -> None:
    status, _, err = command(
        "plan",
        write_config(distribution=distribution),
        "--output",
        tmp_path / "plans" / "water.csv",
    )

    assert (status, err) == (0, "")
    assert sorted(path.name for path in (tmp_path / "plans").iterdir()) == [
        "water.csv",
        "water.png",
    ]
    pd.testing.assert_frame_equal(
        read_table(tmp_path / "plans" / "water.csv"), make_plan(small(distribution=distribution))
    )
    # 4 x 4 plots of 1.8 x 1.7 inches at 110 dots per inch
    assert plt.imread(tmp_path / "plans" / "water.png").shape[:2] == (748, 792)


def test_the_command_says_how_many_clips_the_first_and_last_and_each_controls_spread(
    command: Command, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    _, out, _ = command(
        "plan", write_config(distribution=DISTRIBUTIONS[2]), "--output", tmp_path / "water.csv"
    )

    lines = [line.split() for line in out.splitlines()]
    assert out.startswith(f"{shown(tmp_path / 'water.csv')}: 16 clips, not the 40 asked for\n")
    assert [row[:5] for row in lines if row and row[0].startswith("clip_")] == [
        ["clip_1.wav", "0.50", "0.1", "0.5", "0.2"],
        ["clip_2.wav", "0.50", "0.1", "0.5", "0.8"],
        ["clip_15.wav", "0.75", "0.5", "0.8", "0.2"],
        ["clip_16.wav", "0.75", "0.5", "0.8", "0.8"],
    ]
    assert [float(value) for value in next(row for row in lines if row[:1] == ["avgRate"])[1:]] == [
        0.5,
        0.75,
        2,
    ]


def test_the_command_does_not_speak_of_a_difference_where_there_is_none(
    command: Command, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    _, out, _ = command("plan", write_config(), "--output", tmp_path / "water.csv")

    assert out.startswith(f"{shown(tmp_path / 'water.csv')}: 12 clips\n")


def test_a_table_in_the_pictures_place_is_refused(
    command: Command, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    status, out, err = command("plan", write_config(), "--output", tmp_path / "water.png")

    assert (status, out) == (2, "")
    assert err == f"--output: {shown(tmp_path / 'water.png')} should end in .csv\n"
    assert not (tmp_path / "water.png").exists()


@pytest.fixture
def drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[SyntheticConfig], Figure]]:
    """Draw the picture of a config's plan. -> the figure that would have been saved."""
    figures: list[Figure] = []
    monkeypatch.setattr(
        "synthetic_datasets.plan_picture.save_picture", lambda figure, _: figures.append(figure)
    )

    def draw(config: SyntheticConfig) -> Figure:
        plan_picture(tmp_path / "plan.png", make_plan(config), config)
        return figures[-1]

    yield draw
    plt.close("all")


@pytest.mark.pictures
@pytest.mark.parametrize("n_controls", [1, 2, 4])
def test_a_picture_has_a_histogram_per_control_and_pair_and_one_of_the_volume(
    small: Small, drawn: Callable[[SyntheticConfig], Figure], n_controls: int
) -> None:
    ranges = {
        "avgRate": [0.2, 0.75],
        "minRadius": [0.1, 0.5],
        "maxRadius": [0.5, 0.8],
        "expRadius": [0.2, 0.8],
    }
    names = list(ranges)[:n_controls]
    controls = {name: ends if name in names else 0.5 for name, ends in ranges.items()}
    config = small(
        engine={"type": "liquid", "controls": controls},
        distribution={"type": "sobol", "n_clips": 64},
    )

    figure = drawn(config)

    plots = [
        axis for axis in figure.axes if axis.get_visible() and axis.get_label() != "<colorbar>"
    ]
    meshes = [mesh for axis in plots for mesh in axis.collections]
    bars = [axis for axis in plots if axis.patches]
    assert len(meshes) == n_controls * (n_controls - 1) // 2
    # Every clip is in some cell, the last one's edge included.
    assert all(mesh.get_array().sum() == 64 for mesh in meshes)
    above = [child.get_xlabel() for axis in bars for child in axis.child_axes]
    units = ["bubbles/s", "mm", "mm", "exponent"][:n_controls]
    assert sorted(above) == sorted(
        [*(f"{name}\n({unit})" for name, unit in zip(names, units, strict=True)), "volume\n(dB)"]
    )
    assert all(sum(bar.get_height() for bar in axis.patches) == 64 for axis in bars)
    assert figure.get_suptitle() == "sobol: 64 clips"


def test_the_upper_axis_says_what_a_slider_means(
    small: Small, drawn: Callable[[SyntheticConfig], Figure]
) -> None:
    engine = {
        "type": "liquid",
        "controls": {"avgRate": [0.2, 1], "minRadius": 0.3, "maxRadius": 0.6, "expRadius": 0.5},
    }
    # Of gain~'s 158 steps of 0.6 dB, 128 is unity: 0.5 is 79 steps and 1 is 158.
    config = small(engine=engine, volume={"low": 0.5, "high": 1})

    figure = drawn(config)

    rate, volume = (
        [label.get_text() for label in axis.child_axes[0].get_xticklabels()] for axis in figure.axes
    )
    assert (rate[0], rate[2]) == ("11.5", "100000")  # 100,000 x 1.12 ** -80, and the whole
    assert (volume[0], volume[2]) == ("-29.4", "18")


@pytest.mark.parametrize(("n_values", "width"), [(2, 0.5), (10, 0.5), (50, 0.1), (7, 0.013)])
def test_each_value_of_a_grid_has_a_bin_to_itself(n_values: int, width: float) -> None:
    values = np.linspace(0.2, 0.2 + width, n_values).round(3)

    assert (
        np.histogram(np.repeat(values, 3), bin_edges(values, (0.2, 0.2 + width)))[0].tolist()
        == [3] * n_values
    )


@pytest.mark.parametrize(
    "values", [[0.3], [0.3, 0.31], [0.2, 0.21, 0.7], np.linspace(0.2, 0.7, 400), [0.2, 0.7] * 200]
)
@pytest.mark.parametrize("high", [0.7, 0.2])
def test_bins_hold_every_value_whatever_their_spread(values: list[float], high: float) -> None:
    values_ = np.minimum(values, high)

    assert np.histogram(values_, bin_edges(values_, (0.2, high)))[0].sum() == len(values_)

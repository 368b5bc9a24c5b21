"""Parameters that vary from clip to clip are written beside the labels, and change nothing but the
sound."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from synthetic_datasets.config import RecordingsConfig, SyntheticConfig
from synthetic_datasets.engines import EmbeddedEngine, engines
from synthetic_datasets.engines.liquid import Liquid
from synthetic_datasets.engines.osc import Osc
from synthetic_datasets.engines.puredata import PureData
from synthetic_datasets.plan import make_plan
from texturelib.config import load_config
from texturelib.dataset import read_dataset
from texturelib.errors import UsageError
from texturelib.files import read_json, shown

Command = Callable[..., tuple[int, str, str]]
WriteConfig = Callable[..., Path]
Files = Callable[[Path], dict[str, bytes]]
Small = Callable[..., SyntheticConfig]

RANGES = {
    "avgRate": [0.5, 0.75],
    "minRadius": [0.1, 0.5],
    "maxRadius": [0.5, 0.8],
    "expRadius": [0.2, 0.8],
}
VARY = {"rise_factor": [0.02, 0.2], "depth_exponent": [1.0, 3.5]}

MODELS = [model for model in engines.models if issubclass(model, EmbeddedEngine)]


def liquid(**parameters: Any) -> dict[str, Any]:
    return {"type": "liquid", "controls": copy.deepcopy(RANGES), **parameters}


def test_what_is_drawn_stands_between_the_controls_and_the_volume_and_is_no_control(
    command: Command, write_config: WriteConfig, tmp_path: Path
) -> None:
    status, _, err = command("generate", write_config(engine=liquid(vary=VARY)), "--workers", 1)

    dataset = read_dataset(tmp_path / "results")
    assert (status, err) == (0, "")
    assert dataset.controls == list(RANGES)
    assert dataset.metadata.columns.tolist()[1:8] == [
        *RANGES,
        "depth_exponent",
        "rise_factor",
        "volume",
    ]
    assert dataset.metadata["depth_exponent"].between(1.0, 3.5).all()
    assert dataset.metadata["rise_factor"].between(0.02, 0.2).all()
    assert dataset.metadata["rise_factor"].nunique() == 12
    assert dataset.description["provenance"]["engine"]["vary"] == VARY


def test_values_are_spread_evenly_and_independently(small: Small) -> None:
    plan = make_plan(
        small(engine=liquid(vary=VARY), distribution={"type": "random_uniform", "n_clips": 1000})
    )

    # Kolmogorov and Smirnov find less than one in 1000 even samples as uneven as that; 1000 pairs
    # correlate by 0.03.
    assert kstest((plan["depth_exponent"] - 1) / 2.5, "uniform").pvalue > 0.001
    assert kstest((plan["rise_factor"] - 0.02) / 0.18, "uniform").pvalue > 0.001
    columns = plan[["avgRate", "depth_exponent", "rise_factor", "volume"]].corr().to_numpy()
    assert np.abs(columns - np.eye(4)).max() < 0.15


def test_the_controls_and_levels_are_those_of_the_set_without(small: Small) -> None:
    plain, varied = make_plan(small()), make_plan(small(engine=liquid(vary=VARY)))

    pd.testing.assert_frame_equal(varied.drop(columns=list(VARY)), plain)


def test_a_clips_values_depend_on_the_seed_and_its_number_alone(small: Small) -> None:
    def drawn(n_clips: int, seed: int, controls: dict[str, Any] = RANGES) -> pd.DataFrame:
        # The same two parameters, named in the other order.
        vary = dict(reversed(VARY.items())) if n_clips == 20 else VARY
        engine = liquid(vary=vary) | {"controls": controls}
        return make_plan(
            small(engine=engine, seed=seed, distribution={"type": "sobol", "n_clips": n_clips})
        )[list(VARY)]

    pd.testing.assert_frame_equal(drawn(20, 1)[:12], drawn(12, 1))
    pd.testing.assert_frame_equal(drawn(12, 1, RANGES | {"avgRate": 0.5}), drawn(12, 1))
    assert not drawn(12, 2).equals(drawn(12, 1))


def test_a_range_of_one_value_gives_the_bytes_of_holding_it(
    command: Command, write_config: WriteConfig, tmp_path: Path, files: Files
) -> None:
    command(
        "generate", write_config(output="held", engine=liquid(rise_factor=0.15)), "--workers", 1
    )
    command(
        "generate",
        write_config(output="varied", engine=liquid(vary={"rise_factor": [0.15, 0.15]})),
        "--workers",
        1,
    )

    assert files(tmp_path / "held" / "audio") == files(tmp_path / "varied" / "audio")


def test_each_clip_is_the_sound_of_an_engine_that_holds_what_its_row_says(
    command: Command, write_config: WriteConfig, tmp_path: Path
) -> None:
    command("generate", write_config(engine=liquid(vary=VARY)), "--workers", 1)

    dataset = read_dataset(tmp_path / "results")
    for index in (0, 5, 11):
        row = dataset.metadata.loc[index]
        engine = Liquid(
            controls=dict.fromkeys(RANGES, 0.5),
            depth_exponent=row["depth_exponent"],
            rise_factor=row["rise_factor"],
        )
        with engine.started(0.1, 8000, 1) as started:
            wanted = started.render(
                row[list(RANGES)].to_dict(), row["volume"], np.random.default_rng([0, index])
            )
        # lowered_db has two decimals, 0.06 %, and a file 16 bits.
        np.testing.assert_allclose(
            dataset.clip(index), wanted * 10 ** (-row["lowered_db"] / 20), rtol=6e-4, atol=2**-15
        )


def test_a_set_without_it_is_described_as_it_was_before_there_was_any(
    command: Command, write_config: WriteConfig, tmp_path: Path
) -> None:
    command("generate", write_config(), "--workers", 1)

    assert "vary" not in read_json(tmp_path / "results" / "config.json")["engine"]
    assert "vary" not in read_json(tmp_path / "results" / "run.json")["settings"]["engine"]


def test_the_plan_command_shows_and_writes_what_generate_draws_with_any_number_of_workers(
    command: Command, write_config: WriteConfig, tmp_path: Path, files: Files
) -> None:
    _, out, _ = command(
        "plan", write_config(engine=liquid(vary=VARY)), "--output", tmp_path / "table.csv"
    )
    for workers in (1, 2):
        config = write_config(output=f"by_{workers}", engine=liquid(vary=VARY))
        assert command("generate", config, "--workers", workers)[0] == 0

    plan, metadata = (
        pd.read_csv(tmp_path / "table.csv"),
        pd.read_csv(tmp_path / "by_1" / "metadata.csv"),
    )
    assert "depth_exponent" in out
    pd.testing.assert_frame_equal(metadata[list(VARY)], plan[list(VARY)])
    assert files(tmp_path / "by_1") == files(tmp_path / "by_2")


def test_the_written_config_makes_the_set_again(
    command: Command, write_config: WriteConfig, tmp_path: Path, files: Files
) -> None:
    command("generate", write_config(engine=liquid(vary=VARY)), "--workers", 1)
    before = files(tmp_path / "results" / "audio")

    written = tmp_path / "results" / "config.json"
    assert (
        command("generate", written, "--set", f"output={tmp_path / 'again'}", "--workers", 1)[0]
        == 0
    )

    assert files(tmp_path / "again" / "audio") == before


def test_a_whole_number_is_drawn_as_one_and_reaches_both_ends(small: Small) -> None:
    plan = make_plan(
        small(
            engine=liquid(vary={"n_voices": [2, 4]}),
            distribution={"type": "random_uniform", "n_clips": 100},
        )
    )

    # In 100 draws one of three is missing with a chance of 1e-17.
    assert set(plan["n_voices"]) == {2, 3, 4}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_number_of_every_engine_can_vary(model: type[EmbeddedEngine]) -> None:
    middle = {control.name: 0.5 for control in model.available}
    plain = model(controls=dict(middle))
    numbers = [name for name, value in plain if isinstance(value, int | float)]
    engine = model(
        controls=dict(middle),
        vary={name: (getattr(plain, name), getattr(plain, name)) for name in numbers},
    )

    with plain.started(0.05, 8000, 1) as held, engine.started(0.05, 8000, 1) as varied:
        values = middle | engine.draw_varied([0])
        assert list(engine.varied) == numbers
        np.testing.assert_array_equal(
            varied.render(values, 0.8, np.random.default_rng(1)),
            held.render(middle, 0.8, np.random.default_rng(1)),
        )


def test_simulated_places_differ_and_each_place_stays_the_same(
    command: Command, write_config: WriteConfig, tmp_path: Path, files: Files
) -> None:
    def simulate(output: str, n_locations: int, n_takes: int, **parameters: Any) -> pd.DataFrame:
        config = write_config(
            output=output,
            distribution=None,
            engine=liquid(**parameters),
            n_locations=n_locations,
            takes_per_location=n_takes,
        )
        assert command("simulate-recordings", config, "--workers", 1)[0] == 0
        return pd.read_csv(tmp_path / output / "locations.csv")

    plain, varied, fewer = (
        simulate("plain", 3, 2),
        simulate("varied", 3, 2, vary=VARY),
        simulate("fewer", 2, 1, vary=VARY),
    )

    pd.testing.assert_frame_equal(varied.drop(columns=list(VARY)), plain)
    pd.testing.assert_frame_equal(varied[:2], fewer)
    assert varied["rise_factor"].nunique() == 3
    hidden = pd.read_csv(tmp_path / "varied" / "hidden_controls.csv")
    assert hidden.columns.tolist() == ["file_name", *RANGES]
    pd.testing.assert_frame_equal(hidden, pd.read_csv(tmp_path / "plain" / "hidden_controls.csv"))
    assert (
        files(tmp_path / "fewer" / "recordings").items()
        <= files(tmp_path / "varied" / "recordings").items()
    )
    # Every take of a place is the one of an engine that holds that place's values.
    simulate("second", 3, 2, **varied.loc[1, list(VARY)].to_dict())
    of_place = {
        name for name in files(tmp_path / "varied" / "recordings") if name.startswith("location_02")
    }
    sounds, second = (
        files(tmp_path / "varied" / "recordings"),
        files(tmp_path / "second" / "recordings"),
    )
    assert {name for name in sounds if sounds[name] == second[name]} == of_place


def test_a_patch_has_nothing_that_varies_and_says_nothing_of_laws_that_it_has_not() -> None:
    pitch = {"laws": {"slow_down": -1}, "unit": "Hz"}
    engine = Osc.model_validate(
        {
            "type": "osc",
            "patch_controls": {"x": {}, "pitch": pitch},
            "controls": {"x": 0, "pitch": 0},
        }
    )

    assert (list(engine.varied), engine.draw_varied([0])) == ([], {})
    assert [control.laws for control in engine.available] == [{}, {"slow_down": -1}]
    written = engine.model_dump(mode="json")["patch_controls"]
    assert ("laws" in written["x"], written["pitch"]["laws"]) == (False, {"slow_down": -1})


def test_the_liquid_patch_has_the_laws_of_the_liquid_engine() -> None:
    engine = PureData.model_validate(
        {"type": "puredata", "patch": "liquid", "controls": dict.fromkeys(RANGES, 0.5)}
    )

    assert [control.laws for control in engine.available] == [
        control.laws for control in Liquid.available
    ]


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        (
            liquid(vary={"depth_exponen": [1, 2]}),
            'engine.vary.depth_exponen: no such parameter of engine "liquid" (did you mean "depth_exponent"? there are min_depth',
        ),
        (
            liquid(vary={"avgRate": [0.2, 0.5]}),
            'engine.vary.avgRate: is a control; give it a range in "controls"',
        ),
        (
            liquid(vary={"rise_factor": [0.2, 0.1]}),
            "engine.vary.rise_factor: [0.2, 0.1] should be a range [low, high]",
        ),
        (
            liquid(vary={"rise_factor": 0.2}),
            "engine.vary.rise_factor: 0.2 should be a range [low, high]",
        ),
        (
            liquid(vary={"rise_factor": [0.2]}),
            "engine.vary.rise_factor: [0.2] should be a range [low, high]",
        ),
        (
            liquid(vary={"rise_factor": ["low", 1]}),
            'engine.vary.rise_factor: ["low", 1] should be a range [low, high]',
        ),
        (liquid(vary=["rise_factor"]), 'engine.vary: ["rise_factor"]: should be an object {...}'),
        (
            liquid(vary={"rise_factor": [-0.1, 0.1]}),
            "engine.vary.rise_factor: -0.1: should be greater than or equal to 0",
        ),
        (
            liquid(vary={"rise_cutoff": [0.0, 1.5]}),
            "engine.vary.rise_cutoff: 1.5: should be less than or equal to 1",
        ),
        (
            liquid(vary={"n_voices": [1, 2.5]}),
            "engine.vary.n_voices: 2.5: should be a valid integer",
        ),
        (
            liquid(vary={"min_depth": [0.1, 0.7]}),
            "engine.vary: min_depth 0.7 could be drawn, but min_depth: 0.7 should be at most max_depth, 0.5935",
        ),
        (
            liquid(vary={"min_depth": [0.1, 0.5], "max_depth": [0.4, 0.9]}),
            "engine.vary: min_depth 0.5, max_depth 0.4 could be drawn, but min_depth: 0.5 should be at most max_depth, 0.4",
        ),
        (
            {
                "type": "wind",
                "controls": {key: [0, 1] for key in ("speed", "gustiness", "whistling")},
                "vary": {"type": [0, 1]},
            },
            "engine.vary.type: is not a number, and only numbers can vary (narrowest_mm, widest_mm, ",
        ),
        (
            {
                "type": "rain",
                "controls": {key: [0, 1] for key in ("rate", "drop_size", "water")},
                "vary": {"farthest_m": [4, 20]},
            },
            "engine.vary: farthest_m 20 could be drawn, but nearest_m, farthest_m and hush_m: 1, 20, 9 should rise",
        ),
        (
            {
                "type": "osc",
                "patch_controls": {"x": {}},
                "controls": {"x": [0, 1]},
                "vary": {"x": [0, 1]},
            },
            "engine.vary: no such key",
        ),
    ],
)
@pytest.mark.parametrize("model", [SyntheticConfig, RecordingsConfig])
def test_what_cannot_vary_is_refused_in_one_sentence(
    write_config: WriteConfig, model: Any, engine: dict[str, Any], expected: str
) -> None:
    path = (
        write_config(engine=engine, distribution=None)
        if model is RecordingsConfig
        else write_config(engine=engine)
    )

    with pytest.raises(UsageError) as refused:
        load_config(path, model)

    assert str(refused.value).startswith(f"{shown(path)}: {expected}")

"""A config of stage 1 that cannot be rendered is refused, with the key that is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthetic_datasets.config import RecordingsConfig, SyntheticConfig
from synthetic_datasets.level import volume_to_gain
from texturelib.config import load_config
from texturelib.errors import UsageError
from texturelib.files import shown

ROOT = Path(__file__).parents[2]
CONTROLS = {
    "avgRate": [0.2, 0.75],
    "minRadius": [0.1, 0.5],
    "maxRadius": [0.5, 0.8],
    "expRadius": [0.2, 0.8],
}


def engine(**changes: Any) -> dict[str, Any]:
    return {"type": "liquid", "controls": CONTROLS} | changes


def shipped(name: str) -> list[Path]:
    return sorted(path for path in ROOT.glob(f"configs/*/{name}") if path.parent.name != "schemas")


def joint(**ratios: int) -> dict[str, Any]:
    return {"type": "uniform_joint", "n_clips": 10, "ratios": ratios}


def chances(**chance_new: float) -> dict[str, Any]:
    return {"type": "random_uniform", "n_clips": 5, "chance_new": chance_new}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"engine": engine(controls=CONTROLS | {"avgRat": 0.5})},
            'engine.controls.avgRat: no such control of engine "liquid" (did you mean "avgRate"?',
        ),
        (
            {"engine": engine(controls={"avgRate": 0.5})},
            "engine.controls.minRadius: is missing; give it a range such as",
        ),
        (
            {"engine": engine(type="liqud")},
            'engine.type: there is no "liqud" (did you mean "liquid"?',
        ),
        ({"engine": {"controls": CONTROLS}}, "engine.type: is missing"),
        (
            {"engine": engine(rise_facto=0.1)},
            'engine.rise_facto: no such key (did you mean "rise_factor"?',
        ),
        ({"engine": engine(n_voices=0)}, "engine.n_voices: 0: should be greater than 0"),
        (
            {"engine": engine(min_depth=0.7)},
            "engine.min_depth: 0.7 should be at most max_depth, 0.5935",
        ),
        (
            {"engine": engine(controls=CONTROLS | {"avgRate": [0.8, 0.2]})},
            "engine.controls.avgRate: [0.8, 0.2] should be a range",
        ),
        (
            {"engine": engine(controls=CONTROLS | {"avgRate": [0.2, 1.2]})},
            "engine.controls.avgRate: [0.2, 1.2] should be a range",
        ),
        (
            {"engine": engine(controls=CONTROLS | {"avgRate": -0.1})},
            "engine.controls.avgRate: -0.1 should be a range",
        ),
        (
            {"engine": engine(controls=CONTROLS | {"avgRate": [0.2]})},
            "engine.controls.avgRate: [0.2] should be a range",
        ),
        (
            {"engine": engine(controls=CONTROLS | {"avgRate": "fast"})},
            'engine.controls.avgRate: "fast" should be a range',
        ),
        (
            {"engine": engine(controls=dict.fromkeys(CONTROLS, 0.5))},
            "engine.controls: every control is held at one value",
        ),
        (
            {"distribution": joint(avgRate=1, minRadius=1, maxRadius=1)},
            "distribution.ratios: expRadius is missing",
        ),
        (
            {"distribution": joint(avgRat=1, minRadius=1, maxRadius=1, expRadius=1)},
            'distribution.ratios.avgRat: no control with a range (did you mean "avgRate"?',
        ),
        (
            {"distribution": joint(avgRate=0)},
            "distribution.ratios.avgRate: 0: should be greater than 0",
        ),
        ({"distribution": {"type": "random_uniform"}}, "distribution.n_clips: is missing"),
        (
            {"distribution": {"type": "random_uniform", "n_clips": 5, "chance_new": 2}},
            "distribution.chance_new: 2: should be less",
        ),
        (
            {"distribution": chances(avgRate=2)},
            "distribution.chance_new.avgRate: 2: should be less than or equal to 1",
        ),
        (
            {"distribution": chances(avgRate=0.5)},
            "distribution.chance_new: minRadius is missing; give each control a chance",
        ),
        (
            {"distribution": chances(**dict.fromkeys(CONTROLS, 1), avgRat=1)},
            'distribution.chance_new.avgRat: no control with a range (did you mean "avgRate"?',
        ),
        (
            {
                "engine": engine(controls=CONTROLS | {"avgRate": 0.5}),
                "distribution": chances(**dict.fromkeys(CONTROLS, 1)),
            },
            "distribution.chance_new.avgRate: no control with a range",
        ),
        (
            {"distribution": {"type": "uniform_linearly_spaced", "n_clips": 5, "order": "thesi"}},
            'distribution.order: "thesi" is not known (did you mean "thesis"?',
        ),
        ({"distribution": None}, "distribution: is missing"),
        ({"volume": {"low": 0.8, "high": 0.5}}, "volume.low: 0.8 should be at most high, 0.5"),
        (
            {"file_name": "clip.wav"},
            'file_name: "clip.wav" should be a plain name that holds {number}',
        ),
        ({"file_name": "../{number}.wav"}, 'file_name: "../{number}.wav" should be a plain name'),
        ({"sample_rate": 44100.5}, "sample_rate: 44100.5: should be a valid integer"),
        ({"sample_rate": 4000}, "sample_rate: 4000: should be greater than or equal to 8000"),
        ({"seconds": 0}, "seconds: 0: should be greater than"),
        ({"seed": -1}, "seed: -1: should be greater than or equal to 0"),
        ({"sed": 1}, 'sed: no such key (did you mean "seed"?'),
    ],
)
def test_a_config_that_cannot_be_rendered_is_refused(
    write_config: Callable[..., Path], changes: dict[str, Any], expected: str
) -> None:
    path = write_config(**changes)

    with pytest.raises(UsageError) as refused:
        load_config(path, SyntheticConfig)

    assert str(refused.value).startswith(f"{shown(path)}: {expected}")


@pytest.mark.parametrize(
    ("locations", "expected"),
    [
        (
            {"reverberation_seconds": [0.0, 1.0]},
            "locations.reverberation_seconds.0: 0.0: should be greater",
        ),
        (
            {"room_level_db": [-3, -18]},
            "locations.room_level_db: [-3, -18] should be a range [low, high]",
        ),
        (
            {"tilt_db_per_octav": [0, 1]},
            'locations.tilt_db_per_octav: no such key (did you mean "tilt_db_per_octave"?',
        ),
    ],
)
def test_locations_that_cannot_be_are_refused(
    write_config: Callable[..., Path], locations: dict[str, Any], expected: str
) -> None:
    path = write_config(distribution=None, locations=locations)

    with pytest.raises(UsageError) as refused:
        load_config(path, RecordingsConfig)

    assert str(refused.value).startswith(f"{shown(path)}: {expected}")


@pytest.mark.parametrize("path", shipped("synthetic.json"), ids=lambda path: path.parent.name)
def test_the_configs_that_come_with_the_project_load(path: Path) -> None:
    assert load_config(path, SyntheticConfig).output.is_relative_to(ROOT / "results")


@pytest.mark.parametrize("path", shipped("recordings.json"), ids=lambda path: path.parent.name)
def test_the_recordings_configs_that_come_with_the_project_load(path: Path) -> None:
    assert load_config(path, RecordingsConfig).output.is_relative_to(ROOT / "results")


def test_the_volume_is_the_fader_of_the_thesis_patch() -> None:
    # Max's gain~: 158 steps of 0.6 dB with unity at 128, and silence at 0.
    assert volume_to_gain(128 / 158) == pytest.approx(1)
    assert volume_to_gain(118 / 158) == pytest.approx(10 ** (-6 / 20))
    assert volume_to_gain(1) == pytest.approx(10 ** (18 / 20))
    assert volume_to_gain(0) == 0

"""What an engine offers, and the check of its controls in a config."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol

import numpy as np
from pydantic import ValidationError, WrapValidator, field_validator

from synthetic_datasets.level import volume_to_gain
from texturelib.config import Config
from texturelib.controls import Control
from texturelib.nearest import did_you_mean
from texturelib.registry import Registry

engines = Registry("synthetic_datasets.engines")

_EXPECTED = "should be a range [low, high] within 0..1, or one value within 0..1"


def _range_or_value(setting: Any, validate: Callable[[Any], Any]) -> Any:
    try:
        return validate(setting)
    except ValidationError:
        raise ValueError(f"{json.dumps(setting)} {_EXPECTED}") from None


Setting = Annotated[tuple[float, float] | float, WrapValidator(_range_or_value)]
"""A control in a config: a range [low, high] to spread its values over, or one value to hold it at; on its slider, 0..1."""

Render = Callable[[Mapping[str, float], float, np.random.Generator], np.ndarray]
"""Every control (0..1), the volume (0..1, see `volume_to_gain`), chance -> [samples] float32, which may exceed 1."""


@dataclass(frozen=True)
class Started:
    """An engine that is ready to sound.

    render: the same state of chance gives the same samples. in_threads: whether it can only be called from threads of
    this process, since it plays something outside of it. n_workers: how many calls at a time it is good for, None for
    any number. versions: of the programs that make the sound, by name.
    """

    render: Render
    in_threads: bool = False
    n_workers: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """A pydantic model whose fields are its held-fixed parameters, and `controls`, what the config says of each control."""

    controls: dict[str, Setting]

    @property
    def available(self) -> Sequence[Control]:
        """Every control that it has."""
        ...

    @property
    def inputs(self) -> dict[str, Path]:
        """The files that it plays, by name: another one is another engine."""
        ...

    def check_clip(self, seconds: float, sample_rate: int) -> None:
        """Errors: ValueError when it cannot make clips of this length."""
        ...

    def started(self, seconds: float, sample_rate: int, workers: int) -> AbstractContextManager[Started]:
        """Make it ready for clips of this length; what was started for that stops when the block ends."""
        ...


class EmbeddedEngine(Config):
    """An engine that is computed here: a subclass says its `type`, its `available` controls, and how to `render` them."""

    available: ClassVar[tuple[Control, ...]]

    controls: dict[str, Setting]
    """A range [low, high], or one value to hold it at, for each control of the engine; 0..1."""

    @field_validator("controls")
    @classmethod
    def _known_controls(cls, controls: dict[str, Setting]) -> dict[str, Setting]:
        return check_controls(controls, cls.available, cls.model_fields["type"].default)

    def render(self, controls: Mapping[str, float], seconds: float, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """controls: every one of `available`, 0..1 -> [samples] float32 at the engine's own level, which may exceed 1.

        The same rng state gives the same samples.
        """
        raise NotImplementedError

    @property
    def inputs(self) -> dict[str, Path]:
        return {}

    def check_clip(self, seconds: float, sample_rate: int) -> None:
        """Any length will do."""

    def started(self, seconds: float, sample_rate: int, workers: int) -> AbstractContextManager[Started]:
        render = partial(_render_at_volume, self, seconds, sample_rate)
        return nullcontext(Started(render, versions={"numba": version("numba"), "scipy": version("scipy")}))


def _render_at_volume(
    engine: EmbeddedEngine,
    seconds: float,
    sample_rate: int,
    controls: Mapping[str, float],
    volume: float,
    rng: np.random.Generator,
) -> np.ndarray:
    return engine.render(controls, seconds, sample_rate, rng) * np.float32(volume_to_gain(volume))


def check_controls(controls: dict[str, Setting], available: Sequence[Control], engine: str) -> dict[str, Setting]:
    """-> `controls` in the engine's order. Errors: ValueError when one is unknown, missing, or outside its slider."""
    names = [control.name for control in available]
    for name, setting in controls.items():
        if name not in names:
            raise ValueError(f'{name}: no such control of engine "{engine}" {did_you_mean(name, names)}')
        low, high = setting if isinstance(setting, tuple) else (setting, setting)
        if not 0 <= low <= high <= 1:
            raise ValueError(f"{name}: {_shown(setting)} {_EXPECTED}")
    for name in names:
        if name not in controls:
            raise ValueError(f"{name}: is missing; give it a range such as [0.2, 0.8], or one value to hold it at")
    return {name: controls[name] for name in names}


def _shown(setting: Setting) -> str:
    return f"[{setting[0]:g}, {setting[1]:g}]" if isinstance(setting, tuple) else f"{setting:g}"

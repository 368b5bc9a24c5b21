"""What an engine offers, and the check of its controls in a config."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Protocol

import numpy as np
from pydantic import ValidationError, WrapValidator

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


class Engine(Protocol):
    """A pydantic model whose fields are its held-fixed parameters, and `controls`, what the config says of each control."""

    available: ClassVar[tuple[Control, ...]]
    controls: dict[str, Setting]

    def render(self, controls: Mapping[str, float], seconds: float, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """controls: every one of `available`, 0..1 -> [samples] float32 at the engine's own level, which may exceed 1.

        The same rng state gives the same samples.
        """
        ...


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

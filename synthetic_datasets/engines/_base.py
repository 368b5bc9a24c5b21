"""The protocol of an engine, and the check of its controls in a config."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol

import numpy as np
from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    WrapValidator,
    field_validator,
    model_serializer,
    model_validator,
)

from synthetic_datasets.level import volume_to_gain
from texturelib.config import Config
from texturelib.controls import Control, Law
from texturelib.nearest import did_you_mean
from texturelib.registry import Registry

# How a rate of events goes, and the size of what sounds at a pitch that goes as 1/size. The level
# is the volume's alone, so a gain says nothing of any control.
RATE_LAWS: dict[Law, float] = {"slow_down": -1, "gain": 0, "mixing": 1}
SIZE_LAWS: dict[Law, float] = {"slow_down": 1, "gain": 0, "mixing": 0}

engines = Registry("synthetic_datasets.engines")

_EXPECTED = "should be a range [low, high] within 0..1, or one value within 0..1"


def _range_or_value(setting: Any, validate: Callable[[Any], Any]) -> Any:
    try:
        return validate(setting)
    except ValidationError:
        raise ValueError(f"{json.dumps(setting)} {_EXPECTED}") from None


Setting = Annotated[tuple[float, float] | float, WrapValidator(_range_or_value)]
"""A control in a config: a range [low, high] to spread its values over, or one value to hold it at;
on its slider, 0..1."""


def _two_numbers(ends: Any, validate: Callable[[Any], Any]) -> Any:
    try:
        return validate(ends)
    except ValidationError:
        raise ValueError(f"{json.dumps(ends)} should be a range [low, high]") from None


Range = Annotated[tuple[float, float], WrapValidator(_two_numbers)]

Render = Callable[[Mapping[str, float], float, np.random.Generator], np.ndarray]
"""Every control (0..1) and varied parameter, the volume (0..1, see `volume_to_gain`), chance ->
[samples] float32, which may exceed 1."""


@dataclass(frozen=True)
class Started:
    """An engine that is ready to sound.

    render: the same state of chance gives the same samples. in_threads: whether it can only be
    called from threads of this process, since it plays something outside of it. n_workers: how many
    calls at a time it is good for, None for any number. versions: of the programs that make the
    sound, by name.
    """

    render: Render
    in_threads: bool = False
    n_workers: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """A pydantic model whose fields are its held-fixed parameters, and `controls`, what the config
    says of each control."""

    controls: dict[str, Setting]

    @property
    def type(self) -> str:
        """The word for it in a config."""
        ...

    @property
    def available(self) -> Sequence[Control]:
        """Every control that it has."""
        ...

    @property
    def inputs(self) -> dict[str, Path]:
        """The files that it plays, by name: another one is another engine."""
        ...

    @property
    def varied(self) -> Sequence[str]:
        """Its parameters, besides the controls, that differ from clip to clip."""
        ...

    def draw_varied(self, seeds: Sequence[int]) -> dict[str, float]:
        """Return a value for each of `varied`, which depends on `seeds` alone."""
        ...

    def programs(self) -> dict[str, str]:
        """Return the versions of the programs outside of Python that it starts, by name. Errors:
        TextureError when one is missing."""
        ...

    def check_clip(self, seconds: float, sample_rate: int) -> None:
        """Check that it can make clips of this length. Errors: ValueError when it cannot."""
        ...

    def started(
        self, seconds: float, sample_rate: int, workers: int
    ) -> AbstractContextManager[Started]:
        """Make it ready for clips of this length; what was started for that stops when the block
        ends."""
        ...


class EmbeddedEngine(Config):
    """An engine that is computed here: a subclass says its `type`, its `available` controls, and
    how to `render` them."""

    available: ClassVar[tuple[Control, ...]]

    controls: dict[str, Setting]
    """A range [low, high], or one value to hold it at, for each control of the engine; 0..1."""
    vary: dict[str, Range] = Field(default={})
    """Parameters that vary without becoming labels: {"name": [low, high]}, drawn uniformly for each
    clip, or for each location of simulated recordings."""

    @field_validator("controls")
    @classmethod
    def _known_controls(cls, controls: dict[str, Setting]) -> dict[str, Setting]:
        return check_controls(controls, cls.available, cls.model_fields["type"].default)

    @field_validator("vary")
    @classmethod
    def _known_parameters(cls, vary: dict[str, Range]) -> dict[str, Range]:
        numbers = [
            name
            for name, parameter in cls.model_fields.items()
            if parameter.annotation in (int, float)
        ]
        for name, (low, high) in vary.items():
            if name in [control.name for control in cls.available]:
                raise ValueError(f'{name}: is a control; give it a range in "controls"')
            if name in cls.model_fields and name not in numbers:
                raise ValueError(
                    f"{name}: is not a number, and only numbers can vary ({', '.join(numbers)})"
                )
            if name not in numbers:
                engine = cls.model_fields["type"].default
                raise ValueError(
                    f'{name}: no such parameter of engine "{engine}" {did_you_mean(name, numbers)}'
                )
            if low > high:
                raise ValueError(f"{name}: {_shown((low, high))} should be a range [low, high]")
        return {name: vary[name] for name in numbers if name in vary}

    @model_validator(mode="after")
    def _all_that_can_be_drawn_is_allowed(self) -> "EmbeddedEngine":
        # What an engine demands of several parameters is their order, which holds everywhere if it
        # does at all the corners.
        for corner in itertools.product(*self.vary.values()) if self.vary else ():
            values = dict(zip(self.vary, corner, strict=True))
            try:
                self.with_parameters(values)
            except ValidationError as error:
                detail = error.errors()[0]
                if detail["loc"]:
                    name = detail["loc"][0]
                    reason = detail["msg"].replace("Input should", "should")
                    raise ValueError(f"vary.{name}: {detail['input']:g}: {reason}") from None
                drawn = ", ".join(f"{name} {value:g}" for name, value in values.items())
                reason = detail["msg"].removeprefix("Value error, ")
                raise ValueError(f"vary: {drawn} could be drawn, but {reason}") from None
        return self

    @model_serializer(mode="wrap")
    def _without_an_empty_vary(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Sets that were made before there was `vary` are still the same sets."""
        written = write(self)
        return (
            written
            if self.vary
            else {key: value for key, value in written.items() if key != "vary"}
        )

    @property
    def varied(self) -> Sequence[str]:
        return list(self.vary)

    def draw_varied(self, seeds: Sequence[int]) -> dict[str, float]:
        """Return a value for each of `vary`, to six figures; a whole number where the parameter is
        one."""
        return (
            dict(zip(self.vary, self._drawn(np.random.default_rng(seeds)), strict=True))
            if self.vary
            else {}
        )

    def _drawn(self, rng: np.random.Generator) -> Iterator[float]:
        for name, (low, high) in self.vary.items():
            if type(self).model_fields[name].annotation is int:
                yield int(rng.integers(int(low), int(high), endpoint=True))
            else:
                yield min(max(float(f"{rng.uniform(low, high):.6g}"), low), high)

    def with_parameters(self, values: Mapping[str, float]) -> "EmbeddedEngine":
        """Return the same engine with other parameters, which are held. Errors: ValidationError
        when they are not allowed."""
        held = {name: getattr(self, name) for name in type(self).model_fields if name != "vary"}
        return type(self).model_validate(held | dict(values))

    def physical(self, controls: Mapping[str, float]) -> list[float]:
        """Return the value of each of `available`, in its unit. controls: each of them, 0..1."""
        return [float(control.to_physical(controls[control.name])) for control in self.available]

    def render(
        self,
        controls: Mapping[str, float],
        seconds: float,
        sample_rate: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Return the sound, [samples] float32 at the engine's own level, which may exceed 1.
        controls: every one of `available`, 0..1.

        The same rng state gives the same samples.
        """
        raise NotImplementedError

    @property
    def inputs(self) -> dict[str, Path]:
        return {}

    def programs(self) -> dict[str, str]:
        return {}

    def check_clip(self, seconds: float, sample_rate: int) -> None:
        """Any length will do."""

    def started(
        self, seconds: float, sample_rate: int, workers: int
    ) -> AbstractContextManager[Started]:
        render = partial(_render_at_volume, self, seconds, sample_rate)
        return nullcontext(
            Started(render, versions={"numba": version("numba"), "scipy": version("scipy")})
        )


def _render_at_volume(
    engine: EmbeddedEngine,
    seconds: float,
    sample_rate: int,
    controls: Mapping[str, float],
    volume: float,
    rng: np.random.Generator,
) -> np.ndarray:
    if engine.vary:
        engine = engine.with_parameters({name: controls[name] for name in engine.vary})
    return engine.render(controls, seconds, sample_rate, rng) * np.float32(volume_to_gain(volume))


def check_controls(
    controls: dict[str, Setting], available: Sequence[Control], engine: str
) -> dict[str, Setting]:
    """Return `controls` in the engine's order. Errors: ValueError when one is unknown, missing, or
    outside its slider."""
    names = [control.name for control in available]
    for name, setting in controls.items():
        if name not in names:
            raise ValueError(
                f'{name}: no such control of engine "{engine}" {did_you_mean(name, names)}'
            )
        low, high = setting if isinstance(setting, tuple) else (setting, setting)
        if not 0 <= low <= high <= 1:
            raise ValueError(f"{name}: {_shown(setting)} {_EXPECTED}")
    for name in names:
        if name not in controls:
            raise ValueError(
                f"{name}: is missing; give it a range such as [0.2, 0.8], or one value to hold it at"
            )
    return {name: controls[name] for name in names}


def _shown(setting: Setting) -> str:
    return f"[{setting[0]:g}, {setting[1]:g}]" if isinstance(setting, tuple) else f"{setting:g}"

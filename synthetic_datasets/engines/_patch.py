"""The base of the engines that play a patch: a Max or Pure Data document that makes the sound."""

import queue
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from synthetic_datasets.engines._base import Setting, Started, check_controls
from synthetic_datasets.engines._session import SESSION_MESSAGES
from texturelib.config import Config, ConfigPath
from texturelib.controls import Control, Law

# Columns of metadata.csv and messages of the session, which a control's name would collide with.
_TAKEN = SESSION_MESSAGES | {"file_name", "volume", "noise_db", "peak_db", "lowered_db", "redraws"}


class PatchControl(Config):
    """A control of a patch: which numbers it takes, and what they mean."""

    sends: tuple[float, float] = (0.0, 100.0)
    """Numbers that the patch is sent for 0 and for 1 on the slider, linear in between."""
    low: float | None = None
    """Value that 0 stands for, in `unit`; by default the number that is sent. It is only noted in
    dataset.json, as are `high`, `unit`, `curve`, `offset`, `description` and `laws`."""
    high: float | None = None
    """Value that 1 stands for, in `unit`; by default the number that is sent."""
    unit: str = ""
    """Unit of the values."""
    curve: Literal["linear", "exponential"] = "linear"
    """Curve of the values from low to high."""
    offset: float = 0.0
    """Offset of an exponential curve: equal steps are equal ratios of (value - offset)."""
    description: str = ""
    """What the control changes, in words."""
    laws: dict[Law, float] = Field(default={})
    """Exponents of k by which the value changes when the sound is played k times slower
    (slow_down), made k times louder (gain), or added to k - 1 others of its kind (mixing): the
    exponent of k. Leave out what is not known."""

    @model_validator(mode="after")
    def _has_a_range(self) -> "PatchControl":
        control = self.named("")
        if self.sends[0] == self.sends[1]:
            raise ValueError(
                f"sends: [{self.sends[0]:g}, {self.sends[1]:g}] should be a range with two different ends"
            )
        if control.low == control.high:
            raise ValueError(f"low and high: both are {control.low:g}; they should differ")
        if (
            self.curve == "exponential"
            and (control.low - self.offset) * (control.high - self.offset) <= 0
        ):
            raise ValueError(
                f"low {control.low:g} and high {control.high:g} should both lie on one side of offset {self.offset:g}"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_empty_laws(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Sets that were made before there were laws are still the same sets."""
        written = write(self)
        return (
            written
            if self.laws
            else {key: value for key, value in written.items() if key != "laws"}
        )

    def named(self, name: str) -> Control:
        low, high = (
            sent if end is None else end
            for end, sent in zip((self.low, self.high), self.sends, strict=True)
        )
        return Control(
            name, low, high, self.unit, self.curve, self.offset, self.description, self.laws
        )

    def sent(self, slider: float) -> float:
        """Return the number that the patch is sent. slider: 0..1."""
        low, high = self.sends
        return low + (high - low) * slider


class Player(Protocol):
    """A patch that is open."""

    def play(
        self, controls: Mapping[str, float], volume: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Play one clip and return it, [samples] float32. controls: the numbers to send, by name.
        volume: 0..1."""
        ...


class PatchEngine(Config):
    """An engine that plays a patch; a subclass says its `type`, and starts its players."""

    patch_controls: dict[str, PatchControl]
    """All controls of the patch, by name; each gets a message of its name."""
    controls: dict[str, Setting]
    """A range [low, high], or one value to hold it at, for each of patch_controls; 0..1."""
    files: list[ConfigPath] = Field(default=[])
    """Further files and folders that the patch uses, beyond those that the toolkit finds by itself.
    When their content changes, the set counts as out of date."""
    reply_seconds: PositiveFloat = 5.0
    """Longest wait for the patch's reply, in seconds beyond the length of a clip."""
    resends: NonNegativeInt = 2
    """Number of times that a clip is asked for again before giving up."""

    @field_validator("patch_controls")
    @classmethod
    def _names_are_free(cls, patch_controls: dict[str, PatchControl]) -> dict[str, PatchControl]:
        for name in patch_controls:
            if not re.fullmatch(r"[^\W\d]\w*", name) or name in _TAKEN:
                raise ValueError(
                    f'"{name}" should be a word of letters, digits and underscores that is none of {", ".join(sorted(_TAKEN))}'
                )
        return patch_controls

    @model_validator(mode="after")
    def _controls_are_the_patchs(self) -> "PatchEngine":
        if not self.patch_controls:
            raise ValueError(
                'patch_controls: is missing; name each control of the patch, as {"cutoff": {"sends": [20, 2000]}}'
            )
        try:
            check_controls(self.controls, self.available, type(self).model_fields["type"].default)
        except ValueError as error:
            raise ValueError(f"controls.{error}") from None
        return self

    @model_serializer(mode="wrap")
    def _without_empty_lists(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Sets that were made before there were these keys are still the same sets."""
        return {key: value for key, value in write(self).items() if value != []}

    @property
    def inputs(self) -> dict[str, Path]:
        names = [path.name for path in self.files]
        return {
            path.name if names.count(path.name) == 1 else str(path): path for path in self.files
        }

    @property
    def varied(self) -> Sequence[str]:
        return ()

    def draw_varied(self, seeds: Sequence[int]) -> dict[str, float]:
        return {}

    @classmethod
    def programs(cls) -> dict[str, str]:
        return {}

    def check_clip(self, seconds: float, sample_rate: int) -> None:
        for count, what in ((1000 * seconds, "milliseconds"), (sample_rate * seconds, "samples")):
            if abs(count - round(count)) > 1e-6:
                raise ValueError(
                    f"seconds: {seconds:g} is {count:g} {what}; a patch can only be told a whole number of them"
                )

    @property
    def available(self) -> Sequence[Control]:
        return [control.named(name) for name, control in self.patch_controls.items()]


@contextmanager
def played_by(
    players: Sequence[Player],
    patch_controls: Mapping[str, PatchControl],
    versions: Mapping[str, str],
) -> Iterator[Started]:
    """Start an engine whose players play one clip at a time each."""
    idle: queue.SimpleQueue[Player] = queue.SimpleQueue()
    for player in players:
        idle.put(player)

    def render(
        controls: Mapping[str, float], volume: float, rng: np.random.Generator
    ) -> np.ndarray:
        player = idle.get()
        try:
            return player.play(
                {name: each.sent(controls[name]) for name, each in patch_controls.items()},
                volume,
                rng,
            )
        finally:
            idle.put(player)

    yield Started(render, in_threads=True, n_workers=len(players), versions=versions)

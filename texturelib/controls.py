"""A control: a physical quantity that a person can turn, and its position on a 0..1 slider."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from texturelib._config_errors import first_problem

Law = Literal["slow_down", "gain", "mixing"]


@dataclass(frozen=True)
class Control:
    """A physical quantity and its slider.

    low, high: the range in `unit`. curve: how the slider runs between them, "linear", or
    "exponential": equal steps of the slider are equal ratios of (value - offset), as for a rate in
    bubbles per second. laws: how the value changes when the sound is changed by a factor, as the
    exponent of that factor, for the changes for which it is known:

    - slow_down: played k times slower, so everything lasts k times longer and sounds at 1/k of its
      pitch.
    - gain: made k times louder.
    - mixing: k independent sounds of the same texture, added.

    Of a level in dB, the exponent is that of the amplitude.

    >>> rate = Control("rate", 1.0, 100.0, "drops/s", "exponential")
    >>> float(rate.to_physical(0.5))
    10.0
    >>> float(rate.to_slider(10.0))
    0.5
    >>> rate = Control("rate", 1.0, 100.0, "drops/s", "exponential", laws={"slow_down": -1.0, "gain": 0.0})
    >>> float(rate.moved("slow_down", 10.0, 0.75)), rate.slope("slow_down")  # a tenth is half of this slider
    (0.25, -0.217...)
    >>> level = Control("level", -40.0, 0.0, "dB", laws={"gain": 1.0})
    >>> round(float(level.moved("gain", 10.0, 0.25)), 6)  # 20 dB louder
    0.75
    """

    name: str
    low: float
    high: float
    unit: str
    curve: Literal["linear", "exponential"] = "linear"
    offset: float = 0.0
    description: str = ""
    laws: Mapping[Law, float] = field(default_factory=dict, hash=False)

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> "Control":
        """Make a control from its description in dataset.json, which may have further keys."""
        return cls(
            **{
                field.name: description[field.name]
                for field in fields(cls)
                if field.name in description
            }
        )

    def describe(self) -> dict[str, Any]:
        """Return the control's description for dataset.json."""
        return asdict(self)

    def to_physical(self, slider: "float | np.ndarray") -> np.ndarray:
        """Return physical values in `unit`. slider: any shape, 0..1 -> the same shape."""
        slider = np.asarray(slider, dtype=np.float64)
        if self.curve == "linear":
            return self.low + (self.high - self.low) * slider
        low, high = self.low - self.offset, self.high - self.offset
        return self.offset + low * (high / low) ** slider

    def to_slider(self, physical: "float | np.ndarray") -> np.ndarray:
        """Return slider positions 0..1, clipped to the range. physical: any shape, in `unit` ->
        the same shape."""
        physical = np.asarray(physical, dtype=np.float64)
        if self.curve == "linear":
            return (physical - self.low) / (self.high - self.low)
        low, high = self.low - self.offset, self.high - self.offset
        return np.log((physical - self.offset) / low) / np.log(high / low)

    def moved(
        self, law: Law, factor: "float | np.ndarray", slider: "float | np.ndarray"
    ) -> np.ndarray:
        """Return the slider position after a change of the sound by `factor`; it may lie outside
        0..1.

        factor, slider: any two shapes that broadcast -> their common shape; nan for a value that no
        slider position has, because it is on the wrong side of the offset. Errors: KeyError when
        the law is not known.
        """
        before, exponent = self.to_physical(slider), self.laws[law]
        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.asarray(factor, dtype=np.float64) ** exponent
            is_level = self.unit == "dB"
            moved = self.to_slider(before + 20 * np.log10(change) if is_level else before * change)
        return np.where(np.isfinite(moved), moved, np.nan)

    def slope(self, law: Law) -> float | None:
        """Return how far the slider moves per unit of ln(factor), as if there were no offset;
        None where that is not the same everywhere (a linear slider), or the law is not known."""
        exponent = self.laws.get(law)
        if not exponent:
            return exponent
        if self.curve == "linear":
            is_level = self.unit == "dB"
            return exponent * 20 / float(np.log(10)) / (self.high - self.low) if is_level else None
        return exponent / float(np.log((self.high - self.offset) / (self.low - self.offset)))


class _Description(BaseModel):
    """The parts of a control's description in dataset.json or a model folder that must be right;
    others may be there or missing."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    name: Annotated[str, Field(min_length=1)]
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    curve: Literal["linear", "exponential"] = "linear"
    offset: float = 0.0
    description: str = ""
    laws: dict[str, float] = {}

    @model_validator(mode="after")
    def _has_a_range(self) -> "_Description":
        if self.low == self.high:
            raise ValueError(f"low and high: both are {self.low:g}; they should differ")
        if (
            self.curve == "exponential"
            and not (self.low - self.offset) * (self.high - self.offset) > 0
        ):
            raise ValueError(
                f"low {self.low:g} and high {self.high:g} should both lie on one side of offset {self.offset:g}"
            )
        return self


_WHOLE = ("low", "high", "unit")


def check_description(description: Any) -> dict[str, Any]:
    """Return a control's description from a file, unchanged, if it is right. Errors: ValueError
    with what is wrong."""
    try:
        _Description.model_validate(description)
    except ValidationError as error:
        raise ValueError(first_problem(error)) from None
    return description


def _check_is_whole(description: dict[str, Any]) -> dict[str, Any]:
    for key in _WHOLE:
        if key not in description:
            raise ValueError(
                f"control {description['name']} has no {key}; it needs {', '.join(_WHOLE)}"
            )
    return description


ControlDescription = Annotated[dict[str, Any], AfterValidator(check_description)]
"""A control's description in a file: what `Control.describe` returns, or fewer keys."""

WholeDescription = Annotated[ControlDescription, AfterValidator(_check_is_whole)]
"""A control's description with all keys that `Control.from_description` needs."""


def three_figures(value: float) -> str:
    """Format a number for people: three figures, no exponent.

    >>> [three_figures(value) for value in (0.94123, 46.91, 5881.2)]
    ['0.941', '46.9', '5880']
    """
    return f"{float(f'{value:.3g}'):.10g}"

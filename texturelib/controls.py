"""A control: a physical quantity that a person can turn, and its place on a 0..1 slider."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np


@dataclass(frozen=True)
class Control:
    """A physical quantity and its slider.

    low, high: the range in `unit`. curve: how the slider runs between them, "linear", or "exponential": equal steps of
    the slider are equal ratios of (value - offset), as for a rate in bubbles per second.

    >>> rate = Control("rate", 1.0, 100.0, "drops/s", "exponential")
    >>> float(rate.to_physical(0.5))
    10.0
    >>> float(rate.to_slider(10.0))
    0.5
    """

    name: str
    low: float
    high: float
    unit: str
    curve: Literal["linear", "exponential"] = "linear"
    offset: float = 0.0
    description: str = ""

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> "Control":
        """description: what dataset.json says of a control; it may say more than concerns us here."""
        return cls(**{field.name: description[field.name] for field in fields(cls) if field.name in description})

    def describe(self) -> dict[str, Any]:
        """-> what dataset.json says of it."""
        return asdict(self)

    def to_physical(self, slider: "float | np.ndarray") -> np.ndarray:
        """slider: any shape, 0..1 -> the same shape, in `unit`."""
        slider = np.asarray(slider, dtype=np.float64)
        if self.curve == "linear":
            return self.low + (self.high - self.low) * slider
        low, high = self.low - self.offset, self.high - self.offset
        return self.offset + low * (high / low) ** slider

    def to_slider(self, physical: "float | np.ndarray") -> np.ndarray:
        """physical: any shape, in `unit` -> the same shape, 0..1 within the range."""
        physical = np.asarray(physical, dtype=np.float64)
        if self.curve == "linear":
            return (physical - self.low) / (self.high - self.low)
        low, high = self.low - self.offset, self.high - self.offset
        return np.log((physical - self.offset) / low) / np.log(high / low)


def three_figures(value: float) -> str:
    """-> for people: three figures, and no exponent.

    >>> [three_figures(value) for value in (0.94123, 46.91, 5881.2)]
    ['0.941', '46.9', '5880']
    """
    return f"{float(f'{value:.3g}'):.10g}"

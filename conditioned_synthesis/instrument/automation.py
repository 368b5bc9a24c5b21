"""Automation: the course of a control through a sound."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Automation:
    """Breakpoints of a control, linear in between.

    times: rising, in seconds. values: as many, 0..1.
    """

    times: np.ndarray
    values: np.ndarray

    def at(self, seconds: "float | np.ndarray") -> np.ndarray:
        """Return the values at these times; before the first and after the last point, its value.

        seconds: any shape -> the same shape.
        """
        return np.interp(np.asarray(seconds), self.times, self.values)

    def over(self, seconds: float) -> "Automation":
        """Return the same automation from 0 to `seconds`, with a point at either end."""
        inside = (self.times > 0) & (self.times < seconds)
        times = np.concatenate([[0.0], self.times[inside], [seconds]])
        return Automation(times, self.at(times))


def constant(value: float) -> Automation:
    """Return an automation that stays at one value."""
    return Automation(np.zeros(1), np.array([value]))

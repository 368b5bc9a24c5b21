"""The sliders of a portable instrument, which glide to where they are put."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from conditioned_synthesis.instrument.instrument import MOST_GAIN_DB, Instrument, Slider

GLIDE_SECONDS = 0.02
"""Time constant of a slider."""
NEAR = 1e-6
"""A slider that is so near its target is there."""


def slider_header(instrument: Instrument) -> dict[str, Any]:
    """Return the part of a header that says what a player needs to know of sliders."""
    return {
        "glide_seconds": GLIDE_SECONDS,
        "most_gain_db": MOST_GAIN_DB,
        "sliders": [_slider(each) for each in instrument.spec.sliders],
    }


def _slider(slider: Slider) -> dict[str, Any]:
    """Return what a player needs to know of a slider.

    curve: breakpoints (position, network input). loudness: breakpoints (network input, dB).
    """
    return {
        "control": slider.control,
        "low": slider.low,
        "high": slider.high,
        "curve": slider.curve or ((slider.low, slider.low), (slider.high, slider.high)),
        "loudness": slider.loudness or ((0.0, 0.0), (1.0, 0.0)),
    }


class GlidingSliders:
    """All sliders of an instrument, at first in their middle."""

    def __init__(self, header: Mapping[str, Any], frame_hz: float) -> None:
        """frame_hz: how often they move."""
        self._sliders, self._most_gain_db = header["sliders"], header["most_gain_db"]
        self._targets = np.array([(each["low"] + each["high"]) / 2 for each in self._sliders])
        self._places = self._targets.copy()
        self._glide = 1 - math.exp(-1 / (frame_hz * header["glide_seconds"]))

    def set(self, name: str, position: float) -> None:
        """Move a slider: it glides there.

        position: on the slider, held within its trained range; of 32 bits, as every player has it.
        """
        index = [each["control"]["name"] for each in self._sliders].index(name)
        slider = self._sliders[index]
        self._targets[index] = min(max(float(np.float32(position)), slider["low"]), slider["high"])

    def jump(self) -> None:
        """Move all sliders to their targets at once."""
        self._places = self._targets.copy()

    def move(self) -> None:
        """Move all sliders on by one frame."""
        self._places = self._places + self._glide * (self._targets - self._places)
        there = np.abs(self._targets - self._places) < NEAR
        self._places[there] = self._targets[there]

    def given(self) -> np.ndarray:
        """Return the network's input, [sliders] float32."""
        inputs = [
            _along(slider["curve"], place)
            for slider, place in zip(self._sliders, self._places, strict=True)
        ]
        return np.array(inputs, dtype=np.float32)

    def gain(self, given: np.ndarray) -> float:
        """Return the gain that makes every slider position as loud as the clips were."""
        decibels = sum(
            _along(slider["loudness"], value)
            for slider, value in zip(self._sliders, given, strict=True)
        )
        return 10 ** (min(max(decibels, -self._most_gain_db), self._most_gain_db) / 20)


def _along(points: Any, place: float) -> float:
    """Return the value of a line through breakpoints (place, value), constant beyond its ends."""
    return float(np.interp(place, *np.array(points).T))

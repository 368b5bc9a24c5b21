"""Noise that makes synthetic clips a little more like recordings."""

from typing import Annotated

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from texturelib.config import Config
from texturelib.errors import UsageError


class LowNoise(Config):
    """Low-pass filtered noise, as wind and traffic leave in recordings.

    White Gaussian noise through a second-order low-pass, its peak at `amount` times the clip's; both are drawn per clip.
    """

    cutoff_hz: tuple[PositiveFloat, PositiveFloat] = (50.0, 400.0)
    amount: tuple[NonNegativeFloat, Annotated[float, Field(gt=0)]] = (0.2, 0.4)

    @model_validator(mode="after")
    def _in_order(self) -> "LowNoise":
        for name in ("cutoff_hz", "amount"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: [{low:g}, {high:g}] should be [low, high]")
        return self

    def add(self, clip: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """clip: [samples], not silent -> [samples] float32, with a peak of 1.

        Errors: UsageError when the clip's rate cannot hold the cutoff.
        """
        if self.cutoff_hz[1] >= sample_rate / 2:
            raise UsageError(
                f"features.noise.cutoff_hz: {self.cutoff_hz[1]:g} should be under half the clips' rate, {sample_rate / 2:g}"
            )
        from scipy import signal

        numerator, denominator = _low_pass(rng.uniform(*self.cutoff_hz), sample_rate)
        noise = np.asarray(signal.lfilter(numerator, denominator, rng.standard_normal(len(clip))))
        noisy = clip / np.abs(clip).max() + rng.uniform(*self.amount) * noise / np.abs(noise).max()
        return (noisy / np.abs(noisy).max()).astype(np.float32)


def _low_pass(cutoff_hz: float, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """-> numerator, denominator of the second-order low-pass with Q 0.707 in R. Bristow-Johnson's Audio EQ Cookbook."""
    w0 = 2 * np.pi * cutoff_hz / sample_rate
    alpha = np.sin(w0) / (2 * 0.707)
    numerator = np.array([1 - np.cos(w0), 2 * (1 - np.cos(w0)), 1 - np.cos(w0)]) / 2
    denominator = np.array([1 + alpha, -2 * np.cos(w0), 1 - alpha])
    return numerator / denominator[0], denominator / denominator[0]

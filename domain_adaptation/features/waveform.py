"""The samples themselves, for one-dimensional networks."""

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import PositiveInt

from domain_adaptation.features._base import features
from domain_adaptation.features._noise import LowNoise
from texturelib.config import Config

if TYPE_CHECKING:
    import torch


@features.register
class Waveform(Config):
    """[batch, 1, samples], peak-normalised, resampled."""

    type: Literal["waveform"] = "waveform"
    sample_rate: PositiveInt = 32000
    noise: LowNoise | None = LowNoise()
    """What is added to synthetic clips, or null."""

    def disturb(self, clip: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        return clip if self.noise is None else self.noise.add(clip, sample_rate, rng)

    def compute(self, clips: "torch.Tensor", sample_rate: int) -> "torch.Tensor":
        from domain_adaptation.features._waveforms import peak_normalised, resampled

        return resampled(peak_normalised(clips), sample_rate, self.sample_rate).unsqueeze(1)

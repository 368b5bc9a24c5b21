"""The samples themselves, for one-dimensional networks."""

from typing import TYPE_CHECKING, Literal

from pydantic import PositiveInt, model_validator

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
    """What is added to synthetic clips, or null; drawn afresh each time that a clip is trained on."""

    @model_validator(mode="after")
    def _noise_fits(self) -> "Waveform":
        if self.noise:
            self.noise.check(self.sample_rate)
        return self

    @property
    def highest_hz(self) -> float:
        return self.sample_rate / 2

    def disturb(self, clips: "torch.Tensor") -> "torch.Tensor":
        return clips if self.noise is None else self.noise.add(clips, self.sample_rate)

    def compute(self, clips: "torch.Tensor") -> "torch.Tensor":
        from domain_adaptation.waveforms import peak_normalised

        return peak_normalised(clips).unsqueeze(1)

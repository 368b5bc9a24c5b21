"""The samples themselves, for one-dimensional networks."""

from typing import TYPE_CHECKING, Literal

from domain_adaptation.features._base import features
from domain_adaptation.features._noise import WithNoise

if TYPE_CHECKING:
    import torch


@features.register
class Waveform(WithNoise):
    """[batch, 1, samples], peak-normalised, resampled."""

    type: Literal["waveform"] = "waveform"

    @property
    def highest_hz(self) -> float:
        return self.sample_rate / 2

    def compute(self, clips: "torch.Tensor") -> "torch.Tensor":
        from domain_adaptation.data.waveforms import peak_normalised

        return peak_normalised(clips).unsqueeze(1)

"""Sounds as complex spectra."""

from typing import ClassVar, Literal

import torch

from conditioned_synthesis.representations._base import representations
from conditioned_synthesis.representations._stft import Spectral, SpectralTransform


@representations.register
class Stft(Spectral):
    """The short-time Fourier transform: the real and the imaginary part of each bin."""

    keeps_phase: ClassVar[bool] = True
    type: Literal["stft"] = "stft"

    def transform(self, sample_rate: int) -> "StftTransform":
        return StftTransform(("real", "imaginary"), self.n_fft, self.hop_length)


class StftTransform(SpectralTransform):
    """Spectra: [batch, samples] -> [batch, 2, bins, frames]."""

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        return torch.view_as_real(self.spectra(audio)).movedim(-1, 1)

    def synthesise(self, values: torch.Tensor) -> torch.Tensor:
        return self.sounds(torch.complex(values[:, 0], values[:, 1]))

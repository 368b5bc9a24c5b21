"""Sounds as magnitudes and phases."""

import math
from typing import ClassVar, Literal

import torch

from conditioned_synthesis.representations._base import representations
from conditioned_synthesis.representations._stft import (
    Spectral,
    SpectralTransform,
    log_of,
    phase_of,
    polar,
)


@representations.register
class MagnitudePhase(Spectral):
    """Log magnitude and phase of each bin of the short-time Fourier transform."""

    keeps_phase: ClassVar[bool] = True
    type: Literal["magnitude_phase"] = "magnitude_phase"

    def transform(self, sample_rate: int) -> "MagnitudePhaseTransform":
        return MagnitudePhaseTransform(("log_magnitude", "phase"), self.n_fft, self.hop_length)


class MagnitudePhaseTransform(SpectralTransform):
    """Log magnitude in nepers and phase in radians: [batch, samples] -> [batch, 2, bins, frames]."""

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        spectra = self.spectra(audio)
        return torch.stack([log_of(spectra), phase_of(spectra)], dim=1)

    def synthesise(self, values: torch.Tensor) -> torch.Tensor:
        return self.sounds(polar(values[:, 0], values[:, 1]))

    def fixed_scales(self) -> tuple[float | None, ...]:
        return None, math.pi

"""Sounds as magnitudes and phases, as a transform."""

import math

import torch

from conditioned_synthesis.representations.transforms.spectral import (
    SpectralTransform,
    log_of,
    phase_of,
    polar,
)


class MagnitudePhaseTransform(SpectralTransform):
    """Log magnitude in nepers and phase in radians: [batch, samples] -> [batch, 2, bins, frames]."""

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        spectra = self.spectra(audio)
        return torch.stack([log_of(spectra), phase_of(spectra)], dim=1)

    def synthesise(self, values: torch.Tensor) -> torch.Tensor:
        return self.sounds(polar(values[:, 0], values[:, 1]))

    def fixed_scales(self) -> tuple[float | None, ...]:
        return None, math.pi

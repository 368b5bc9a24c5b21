"""Sounds as magnitudes and instantaneous frequencies, as a transform."""

import math

import torch

from conditioned_synthesis.representations.transforms.spectral import (
    SpectralTransform,
    log_of,
    phase_of,
    polar,
)


class InstantaneousFrequencyTransform(SpectralTransform):
    """Log magnitude in nepers and radians per frame, -pi..pi: [batch, samples] -> [batch, 2, bins,
    frames]. The first frame has its phase itself, so nothing is lost."""

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        spectra = self.spectra(audio)
        phases = phase_of(spectra)
        growth = torch.diff(phases, dim=-1, prepend=torch.zeros_like(phases[..., :1]))
        return torch.stack([log_of(spectra), wrapped(growth)], dim=1)

    def synthesise(self, values: torch.Tensor) -> torch.Tensor:
        # In 64 bits, as errors of a sum add up; then around the circle, where 32 are enough.
        phases = wrapped(values[:, 1].double().cumsum(-1)).to(values.dtype)
        return self.sounds(polar(values[:, 0], phases))

    def fixed_scales(self) -> tuple[float | None, ...]:
        return None, math.pi


def wrapped(radians: torch.Tensor) -> torch.Tensor:
    """Return angles within -pi..pi."""
    return radians - 2 * math.pi * torch.round(radians / (2 * math.pi))

"""Sounds as complex spectra, as a transform."""

import torch

from conditioned_synthesis.representations.transforms.spectral import SpectralTransform


class StftTransform(SpectralTransform):
    """Spectra: [batch, samples] -> [batch, 2, bins, frames]."""

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        return torch.view_as_real(self.spectra(audio)).movedim(-1, 1)

    def synthesise(self, values: torch.Tensor) -> torch.Tensor:
        return self.sounds(torch.complex(values[:, 0], values[:, 1]))

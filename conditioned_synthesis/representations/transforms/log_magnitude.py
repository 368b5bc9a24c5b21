"""Sounds as log magnitudes alone, as a transform."""

import torch

from conditioned_synthesis.representations._spectral import Inversion
from conditioned_synthesis.representations.transforms.phase import with_phases
from conditioned_synthesis.representations.transforms.spectral import SpectralTransform, log_of


class LogMagnitudeTransform(SpectralTransform):
    """Log magnitude in nepers: [batch, samples] -> [batch, 1, bins, frames]. Its inverse has no
    gradient."""

    keeps_phase = False

    def __init__(self, n_fft: int, hop_length: int, inversion: Inversion, iterations: int) -> None:
        super().__init__(("log_magnitude",), n_fft, hop_length)
        self._inversion: Inversion = inversion
        self._iterations = iterations

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        return log_of(self.spectra(audio))[:, None]

    @torch.no_grad()
    def synthesise(self, values: torch.Tensor) -> torch.Tensor:
        spectra = with_phases(self, values[:, 0], self._inversion, self._iterations)
        return self.sounds(spectra)

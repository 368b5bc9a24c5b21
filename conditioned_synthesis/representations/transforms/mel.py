"""Sounds as log magnitudes of mel bands, as a transform."""

import torch

from conditioned_synthesis.representations._spectral import Inversion
from conditioned_synthesis.representations.transforms.phase import with_phases
from conditioned_synthesis.representations.transforms.spectral import QUIETEST, SpectralTransform

_LEAST_SQUARES_STEPS = 30


class MelTransform(SpectralTransform):
    """Log of each band's mean magnitude, in nepers: [batch, samples] -> [batch, 1, n_mels, frames].
    Its inverse has no gradient."""

    keeps_phase = False
    bands: torch.Tensor

    def __init__(
        self,
        bands: torch.Tensor,
        n_fft: int,
        hop_length: int,
        inversion: Inversion,
        iterations: int,
    ) -> None:
        """bands: [n_mels, n_fft // 2 + 1], the last column of which is left out."""
        super().__init__(("log_mel",), n_fft, hop_length)
        self.n_bins = len(bands)
        self.mean, self.scale = torch.zeros(1, len(bands), 1), torch.ones(1, len(bands), 1)
        self._inversion: Inversion = inversion
        self._iterations = iterations
        self.register_buffer("bands", bands[:, :-1].clone(), persistent=False)

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        spectra = self.spectra(audio)
        power = spectra.real.square() + spectra.imag.square()
        return (self.bands @ (power + QUIETEST**2).sqrt()).log()[:, None]

    @torch.no_grad()
    def synthesise(self, values: torch.Tensor) -> torch.Tensor:
        magnitudes = self.magnitudes(values[:, 0].exp())
        logs = magnitudes.clamp_min(QUIETEST).log()
        return self.sounds(with_phases(self, logs, self._inversion, self._iterations))

    def magnitudes(self, mels: torch.Tensor) -> torch.Tensor:
        """Return magnitudes of bins, not negative, whose bands are nearest to these by their
        squares: the multiplicative steps of D. Lee and H. Seung, 2001.

        mels: [batch, n_mels, frames] -> [batch, bins, frames].
        """
        wanted = self.bands.T @ mels
        found = wanted / self.bands.sum(0)[:, None].clamp_min(QUIETEST)
        between = self.bands.T @ self.bands
        for _ in range(_LEAST_SQUARES_STEPS):
            found = found * wanted / (between @ found).clamp_min(QUIETEST**2)
        return found

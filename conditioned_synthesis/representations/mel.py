"""Sounds as log magnitudes of mel bands."""

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field, PositiveFloat

from conditioned_synthesis.dsp.mel import mel_bands
from conditioned_synthesis.representations._base import representations
from conditioned_synthesis.representations._phase import Inversion, with_phases
from conditioned_synthesis.representations._stft import QUIETEST, Spectral, SpectralTransform

_LEAST_SQUARES_STEPS = 30


@representations.register
class Mel(Spectral):
    """Log magnitudes of mel bands. Bins within a band, and phases, are made anew."""

    keeps_phase: ClassVar[bool] = False
    type: Literal["mel"] = "mel"
    n_mels: Annotated[int, Field(ge=4, le=1024)] = 128
    """Number of mel bands, from `low_hz` to half the sample rate."""
    low_hz: PositiveFloat = 30.0
    """Where the first band begins, in Hz."""
    inversion: Inversion = "heap"
    """How phases are found: "heap" integrates the gradients that log magnitudes have, in one pass;
    "griffin_lim" searches, from random ones."""
    iterations: Annotated[int, Field(ge=0, le=10000)] = 0
    """Number of steps of Griffin and Lim's search; after "heap" they begin from its phases."""

    def transform(self, sample_rate: int) -> "MelTransform":
        bands = mel_bands(sample_rate, self.n_fft, self.n_mels, self.low_hz)
        return MelTransform(bands, self.n_fft, self.hop_length, self.inversion, self.iterations)


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

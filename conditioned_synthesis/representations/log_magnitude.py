"""Sounds as log magnitudes alone."""

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field

from conditioned_synthesis.representations._base import representations
from conditioned_synthesis.representations._phase import Inversion, with_phases
from conditioned_synthesis.representations._stft import Spectral, SpectralTransform, log_of


@representations.register
class LogMagnitude(Spectral):
    """Log magnitude of each bin of the short-time Fourier transform. Phases are made anew."""

    keeps_phase: ClassVar[bool] = False
    type: Literal["log_magnitude"] = "log_magnitude"
    inversion: Inversion = "heap"
    """How phases are found: "heap" integrates the gradients that log magnitudes have, in one pass
    (Z. Prusa, P. Balazs and P. Soendergaard, 2017); "griffin_lim" searches, from random ones."""
    iterations: Annotated[int, Field(ge=0, le=10000)] = 0
    """Number of steps of Griffin and Lim's search; after "heap" they begin from its phases."""

    def transform(self, sample_rate: int) -> "LogMagnitudeTransform":
        return LogMagnitudeTransform(self.n_fft, self.hop_length, self.inversion, self.iterations)


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

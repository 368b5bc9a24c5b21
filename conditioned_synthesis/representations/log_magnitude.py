"""Sounds as log magnitudes alone."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from conditioned_synthesis.representations._base import representations
from conditioned_synthesis.representations._spectral import Inversion, Spectral

if TYPE_CHECKING:
    from conditioned_synthesis.representations.transforms.log_magnitude import LogMagnitudeTransform


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
        from conditioned_synthesis.representations.transforms.log_magnitude import (
            LogMagnitudeTransform,
        )

        return LogMagnitudeTransform(self.n_fft, self.hop_length, self.inversion, self.iterations)

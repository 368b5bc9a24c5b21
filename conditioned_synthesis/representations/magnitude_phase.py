"""Sounds as magnitudes and phases."""

from typing import TYPE_CHECKING, ClassVar, Literal

from conditioned_synthesis.representations._base import representations
from conditioned_synthesis.representations._spectral import Spectral

if TYPE_CHECKING:
    from conditioned_synthesis.representations.transforms.magnitude_phase import (
        MagnitudePhaseTransform,
    )


@representations.register
class MagnitudePhase(Spectral):
    """Log magnitude and phase of each bin of the short-time Fourier transform."""

    keeps_phase: ClassVar[bool] = True
    type: Literal["magnitude_phase"] = "magnitude_phase"

    def transform(self, sample_rate: int) -> "MagnitudePhaseTransform":
        from conditioned_synthesis.representations.transforms.magnitude_phase import (
            MagnitudePhaseTransform,
        )

        return MagnitudePhaseTransform(("log_magnitude", "phase"), self.n_fft, self.hop_length)

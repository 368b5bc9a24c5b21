"""Sounds as log magnitudes of mel bands."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, PositiveFloat

from conditioned_synthesis.representations._base import representations
from conditioned_synthesis.representations._spectral import Inversion, Spectral

if TYPE_CHECKING:
    from conditioned_synthesis.representations.transforms.mel import MelTransform


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
        from conditioned_synthesis.dsp.mel import mel_bands
        from conditioned_synthesis.representations.transforms.mel import MelTransform

        bands = mel_bands(sample_rate, self.n_fft, self.n_mels, self.low_hz)
        return MelTransform(bands, self.n_fft, self.hop_length, self.inversion, self.iterations)

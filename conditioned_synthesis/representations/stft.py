"""Sounds as complex spectra."""

from typing import TYPE_CHECKING, ClassVar, Literal

from conditioned_synthesis.representations._base import representations
from conditioned_synthesis.representations._spectral import Spectral

if TYPE_CHECKING:
    from conditioned_synthesis.representations.transforms.stft import StftTransform


@representations.register
class Stft(Spectral):
    """The short-time Fourier transform: the real and the imaginary part of each bin."""

    keeps_phase: ClassVar[bool] = True
    type: Literal["stft"] = "stft"

    def transform(self, sample_rate: int) -> "StftTransform":
        from conditioned_synthesis.representations.transforms.stft import StftTransform

        return StftTransform(("real", "imaginary"), self.n_fft, self.hop_length)

"""The settings that spectral representations share."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from conditioned_synthesis.representations._base import Representation

Inversion = Literal["heap", "griffin_lim"]
"""How phases are found that a representation leaves out."""


class Spectral(Representation):
    """Settings that spectral representations share."""

    n_fft: Annotated[int, Field(ge=16, le=65536, multiple_of=2)] = 512
    """Length of a frame, in samples."""
    hop_length: Annotated[int, Field(ge=1, le=32768)] = 128
    """Samples from one frame to the next; at most half of `n_fft`."""

    @model_validator(mode="after")
    def _overlaps(self) -> "Spectral":
        if 2 * self.hop_length > self.n_fft:
            raise ValueError(
                f"hop_length: {self.hop_length} should be at most half of n_fft, {self.n_fft}"
            )
        return self

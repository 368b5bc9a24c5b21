"""Sounds as they are."""

from typing import TYPE_CHECKING, ClassVar, Literal

from conditioned_synthesis.representations._base import Representation, representations

if TYPE_CHECKING:
    from conditioned_synthesis.representations.transforms.waveform import WaveformTransform


@representations.register
class Waveform(Representation):
    """The samples themselves, the highest of the clips being 1."""

    keeps_phase: ClassVar[bool] = True
    type: Literal["waveform"] = "waveform"

    def transform(self, sample_rate: int) -> "WaveformTransform":
        from conditioned_synthesis.representations.transforms.waveform import WaveformTransform

        return WaveformTransform()

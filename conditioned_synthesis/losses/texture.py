"""The loss of texture statistics."""

from typing import TYPE_CHECKING, ClassVar, Literal

from conditioned_synthesis.losses._base import Loss, losses

if TYPE_CHECKING:
    from torch import nn

_LOWEST_MODULATION_HZ = 2.0
# Samples per second of the envelopes whose statistics are compared: of broader bands no more, as
# training at a high rate would take longer for a difference that is a twentieth of that by chance.
_ENOUGH_HZ = 4096.0


@losses.register
class TextureLoss(Loss):
    """The statistics by which hearing recognises a texture (McDermott and Simoncelli, 2011): levels
    of bands, how they fluctuate, and how they correlate. Two clips of one texture are about 1 apart
    by chance."""

    in_words: ClassVar[str] = "of texture statistics"
    type: Literal["texture"] = "texture"

    def module(self, sample_rate: int, n_samples: int) -> "nn.Module":
        from conditioned_synthesis.dsp.texture_statistics import TextureDifference

        return TextureDifference(
            sample_rate,
            n_samples,
            lowest_modulation_hz=max(_LOWEST_MODULATION_HZ, 2 * sample_rate / n_samples),
            enough_hz=_ENOUGH_HZ,
        )

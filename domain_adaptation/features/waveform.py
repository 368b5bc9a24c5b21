"""The samples themselves as features, for one-dimensional networks."""

from typing import TYPE_CHECKING, Literal

from domain_adaptation.features._base import features
from domain_adaptation.features._noise import WithNoise
from domain_adaptation.features._parts import as_prepared

if TYPE_CHECKING:
    import torch


@features.register
class Waveform(WithNoise):
    """The samples of a clip, resampled and peak-normalised: [batch, 1, samples]."""

    type: Literal["waveform"] = "waveform"
    renormalise: bool = True
    """Whether the peak is normalised to 1 after resampling; false: before it, as for the thesis's
    one-dimensional networks."""

    remove_mean: bool = True
    """Whether a clip's offset (DC), which is no sound, is removed first; the thesis left it in."""

    @property
    def highest_hz(self) -> float:
        return self.sample_rate / 2

    def compute(self, clips: "torch.Tensor") -> "torch.Tensor":
        from domain_adaptation.data.waveforms import peak_normalised, without_mean

        clips = clips if self.renormalise else as_prepared(clips)
        clips = without_mean(clips) if self.remove_mean else clips
        return (peak_normalised(clips) if self.renormalise else clips).unsqueeze(1)

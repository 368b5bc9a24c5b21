"""The interface of a kind of features."""

from typing import TYPE_CHECKING, Protocol

from texturelib.registry import Registry

if TYPE_CHECKING:
    import torch

features = Registry("domain_adaptation.features")


class Features(Protocol):
    """A kind of features: a pydantic model whose fields are its settings. Training and labelling
    use the same object.

    The level of a clip does not matter to them; where it does, by a setting, they take it as
    `waveforms.prepared` leaves it.
    """

    @property
    def sample_rate(self) -> int:
        """The sample rate of the clips that they are computed from, in Hz."""
        ...

    @property
    def highest_hz(self) -> float:
        """The highest frequency that affects the features, in Hz."""
        ...

    def augment(self, clips: "torch.Tensor") -> "torch.Tensor":
        """Return synthetic clips made a little more like recordings, at random by torch's
        generator.

        clips: [batch, samples] -> the same shape. Real clips skip this.
        """
        ...

    def compute(self, clips: "torch.Tensor") -> "torch.Tensor":
        """Return the features of clips.

        clips: [batch, samples], none silent -> [batch, channels, ...]: one or two axes after the
        channels. A clip's features depend on no other clip of the batch.
        """
        ...

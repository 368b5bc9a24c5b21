"""What a kind of features offers."""

from typing import TYPE_CHECKING, Protocol

from texturelib.registry import Registry

if TYPE_CHECKING:
    import torch

features = Registry("domain_adaptation.features")


class Features(Protocol):
    """A pydantic model whose fields are its settings. Training and labelling use the same object.

    The level of a clip does not matter to them; where it does, by a setting, they take it as
    `waveforms.prepared` leaves it.
    """

    @property
    def sample_rate(self) -> int:
        """The rate that clips are given at, in Hz."""
        ...

    @property
    def highest_hz(self) -> float:
        """Above it nothing is heard of a clip."""
        ...

    def augment(self, clips: "torch.Tensor") -> "torch.Tensor":
        """clips: [batch, samples], synthetic -> the same shape: made a little more like recordings,
        by torch's chance.

        Real clips skip this.
        """
        ...

    def compute(self, clips: "torch.Tensor") -> "torch.Tensor":
        """clips: [batch, samples], none silent -> [batch, channels, ...]: one or two axes after the
        channels.

        A clip's features depend on no other clip of the batch.
        """
        ...

"""What a method of adaptation offers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

from texturelib.registry import Registry

if TYPE_CHECKING:
    import torch
    from torch import nn

methods = Registry("domain_adaptation.methods")


class Objective(Protocol):
    """What the encoder in training should make small. It may learn along; then its state is saved with the training."""

    def __call__(self, encoder: "nn.Module", real: "torch.Tensor") -> "torch.Tensor":
        """real: features of a batch of real clips -> a scalar. Learns only while the encoder is in training mode."""
        ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> Any: ...


class Method(Protocol):
    """A pydantic model whose fields are its settings."""

    epochs: int
    batch_size: int
    learning_rate: float
    schedule: Literal["constant", "cosine"]

    @property
    def keeps_best(self) -> bool:
        """Whether the epoch with the lowest validation loss is kept, rather than the last."""
        ...

    def objective(self, classifier: "nn.Module", synthetic: "torch.Tensor") -> Objective:
        """classifier: from `train-classifier`, frozen; [batch, n_features] -> [batch, 1], the logit of "this is real".

        synthetic: [clips, n_features], the synthetic set through the encoder as it was trained. Both are on the device
        that the encoder will be on.
        """
        ...

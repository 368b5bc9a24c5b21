"""What a method of adaptation offers."""

from typing import TYPE_CHECKING, Protocol

from texturelib.registry import Registry

if TYPE_CHECKING:
    import torch
    from torch import nn

methods = Registry("domain_adaptation.methods")


class Method(Protocol):
    """A pydantic model whose fields are its settings."""

    epochs: int
    batch_size: int
    learning_rate: float

    def loss(self, encoder: "nn.Module", classifier: "nn.Module", real: "torch.Tensor") -> "torch.Tensor":
        """What the encoder in training should make small on a batch of real clips' features. -> a scalar.

        classifier: frozen; [batch, n_features] -> [batch, 1], the logit of "this is real".
        """
        ...

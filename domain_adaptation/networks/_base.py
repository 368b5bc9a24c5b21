"""The interface of a kind of network."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from texturelib.registry import Registry

if TYPE_CHECKING:
    from torch import nn

networks = Registry("domain_adaptation.networks")


class Network(Protocol):
    """A kind of network: a pydantic model whose fields are its settings. Sizes follow from these
    and the input."""

    def encoder(self, input_shape: Sequence[int], n_controls: int) -> "nn.Module":
        """Return a new encoder: [batch, channels, ...] -> [batch, n_features].

        input_shape: (channels, ...) of one clip's features. The module has an attribute
        `n_features`. Errors: UsageError when it cannot take such features.
        """
        ...

    def head(self, n_features: int, n_controls: int) -> "nn.Module":
        """Return a new head: [batch, n_features] -> [batch, n_controls], meant for 0..1 but not
        held to it."""
        ...

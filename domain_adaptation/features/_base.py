"""What a kind of features offers."""

from typing import TYPE_CHECKING, Protocol

import numpy as np

from texturelib.registry import Registry

if TYPE_CHECKING:
    import torch

features = Registry("domain_adaptation.features")


class Features(Protocol):
    """A pydantic model whose fields are its settings. Training and labelling use the same object."""

    def disturb(self, clip: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """clip: [samples], synthetic -> [samples]: made a little more like a recording, by chance. Real clips skip this."""
        ...

    def compute(self, clips: "torch.Tensor", sample_rate: int) -> "torch.Tensor":
        """clips: [batch, samples], none silent -> [batch, channels, ...]: one or two axes after the channels.

        A clip's features depend on no other clip of the batch.
        """
        ...

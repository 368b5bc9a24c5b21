"""The interface of a loss between sounds, so that no other file knows one by its name."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import PositiveFloat

from texturelib.config import Config
from texturelib.registry import Registry

if TYPE_CHECKING:
    from torch import nn

losses = Registry("conditioned_synthesis.losses")


class Loss(Config):
    """Settings of a loss: how far sounds are from clips that have the same controls.

    Attributes:
        in_words: what its value is of, after the words "a loss".
    """

    in_words: ClassVar[str]

    weight: PositiveFloat = 1.0
    """Factor of the loss in the sum of all."""

    def module(self, sample_rate: int, n_samples: int) -> "nn.Module":
        """Return a torch module that is called with sounds and clips, and returns a scalar without
        the weight. It has nothing that is learnt or stored.

        Args:
            sample_rate: of the sounds, in Hz.
            n_samples: of each sound.

        Shape of what the module is given, both times:
            [batch, n_samples] or [batch, n_samples, channels]
        """
        raise NotImplementedError

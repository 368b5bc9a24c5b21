"""The interface of a representation, so that no other file knows one by its name."""

from typing import TYPE_CHECKING, ClassVar

from texturelib.config import Config
from texturelib.registry import Registry

if TYPE_CHECKING:
    from conditioned_synthesis.representations.transforms.base import Transform

representations = Registry("conditioned_synthesis.representations")


class Representation(Config):
    """Settings of a representation of sounds.

    Attributes:
        keeps_phase: whether the sound comes back as it was, and with a gradient. Else its phase is
            made anew.
    """

    keeps_phase: ClassVar[bool]

    def transform(self, sample_rate: int) -> "Transform":
        """Return the transform of sounds of that rate, in Hz. Its normalisation is learnt later."""
        raise NotImplementedError

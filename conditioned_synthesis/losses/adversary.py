"""The settings of an adversary."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from texturelib.config import Config

if TYPE_CHECKING:
    from conditioned_synthesis.losses._critic import LogMelCritic


class Adversary(Config):
    """A network that learns to tell what is played from clips, by patches of their log-mel
    spectrograms, while the synthesiser learns to be taken for them; in the last part of a training,
    beside the other losses. It is not stored, and knows no controls."""

    weight: PositiveFloat = 0.1
    """Factor of its loss in the sum of all."""
    begins: Annotated[float, Field(ge=0, lt=1)] = 0.6
    """Share of the training after which it begins, 0..1: only what is nearly a texture has
    something to learn from it."""
    lr: PositiveFloat = 0.001
    """Learning rate of its own optimizer, Adam."""
    channels: PositiveInt = 32
    """Number of channels of its first layer; the others have twice as many."""
    penalty: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the penalty of its gradient at clips (R1)."""

    def critic(self, sample_rate: int, n_samples: int) -> "LogMelCritic":
        """Return a new adversary. sample_rate: in Hz. n_samples: of each sound."""
        from conditioned_synthesis.losses._critic import LogMelCritic

        return LogMelCritic(sample_rate, n_samples, self.channels, self.penalty)

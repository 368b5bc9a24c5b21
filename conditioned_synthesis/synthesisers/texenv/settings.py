"""The settings of TexEnv, filtered noise with learned envelopes."""

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from conditioned_synthesis.losses import Loss, losses
from conditioned_synthesis.losses.adversary import Adversary
from conditioned_synthesis.losses.random_cnn import RandomCnnLoss
from conditioned_synthesis.losses.texture import TextureLoss
from conditioned_synthesis.synthesisers._base import TrainedSynthesiser, synthesisers

if TYPE_CHECKING:
    from conditioned_synthesis.data.split import SplitSounds
    from conditioned_synthesis.synthesisers.texenv.network import TexEnvNetwork
    from texturelib.learning.trainable import Trainable

_AnyLoss = Annotated[Loss, losses]


@synthesisers.register
class TexEnv(TrainedSynthesiser):
    """Bands of noise multiplied with envelopes, which a convolutional network makes from the
    controls and noise of its own.

    After TexEnv (E. Gutierrez and L. Wyse, DAFx 2025). Unlike there, envelopes are not
    overlapping frames but continuous: so there is no seam, controls may move, and no two seconds
    are the same.
    """

    type: Literal["texenv"] = "texenv"
    num_steps: PositiveInt = 1000
    """Number of steps of the optimizer, Adam."""
    batch_size: PositiveInt = 16
    """Number of clips in a batch."""
    lr: PositiveFloat = 0.003
    """Learning rate of the optimizer."""
    checkpoint: PositiveInt = 250
    """Number of optimizer steps between checkpoints."""
    seconds: Annotated[float, Field(gt=0, le=600)] = 1.0
    """Length of a sound that is compared with a clip in training, in seconds."""
    n_bands: Annotated[int, Field(ge=3, le=128)] = 64
    """Number of bands, evenly spaced on the ERB scale."""
    low_hz: Annotated[float, Field(gt=0, le=4000)] = 30.0
    """Centre of the first band, in Hz."""
    envelope_hz: Annotated[float, Field(ge=1, le=10000)] = 250.0
    """Points of an envelope per second, about: the nearest for which there is a multiple of eight
    samples between two points."""
    channels: PositiveInt = 64
    """Number of channels of each layer of the network."""
    n_layers: Annotated[int, Field(ge=1, le=8)] = 5
    """Number of layers of the network. Each looks three times as far back as the one before; 5 look
    back for a second at 250 Hz."""
    hop: Annotated[int, Field(ge=1, le=100000)] | None = None
    """Samples between two points of an envelope; null: as `envelope_hz` says."""
    stereo: bool = False
    """Whether to learn and play two channels, where the clips have two: each with its own
    envelopes, and in each band with the coherence that the clips have."""

    rings: bool = False
    """Whether the noise of each band has the fine spectrum of the clips, so that tones that stay
    where they are ring."""
    losses: Annotated[tuple[_AnyLoss, ...], Field(min_length=1)] = (
        TextureLoss(),
        RandomCnnLoss(weight=3.0),
    )
    """Losses whose sum, each times its weight, is made smaller. That of the first is shown as the
    loss of the training."""

    adversary: Adversary | None = None
    """Network that learns to tell what is played from clips, by which TexEnv learns too, in the last
    part of the training; null: none."""

    def channels_learnt(self, of_clips: int) -> int:
        return 2 if self.stereo and of_clips == 2 else 1

    def training(self, network: Any, clips: "SplitSounds", seed: int) -> "Trainable":
        _ = network.loss_modules  # an error now is better than one after the output has begun
        if self.adversary is None:
            return super().training(network, clips, seed)
        from conditioned_synthesis.synthesisers._adversarial import AdversarialTraining

        return AdversarialTraining(
            network,
            clips,
            seed,
            self.batch_size,
            self.lr,
            self.schedule,
            self.gradient_norm,
            adversary=self.adversary,
            n_steps=self.num_steps,
        )

    @field_validator("losses")
    @classmethod
    def _each_once(cls, given: tuple[Loss, ...]) -> tuple[Loss, ...]:
        types = [each.type for each in given]  # type: ignore[attr-defined]
        if len(set(types)) < len(types):
            raise ValueError(f"{', '.join(types)}: each type of loss may be there once")
        return given

    @classmethod
    def of_stored(cls, stored: dict[str, Any], sample_rate: float) -> dict[str, Any]:
        envelope_hz = stored.get("envelope_hz")
        if "hop" in stored or not isinstance(envelope_hz, float) or not envelope_hz > 0:
            return stored
        # Before there was this key, it was a power of two.
        return stored | {"hop": 2 ** max(0, round(math.log2(sample_rate / envelope_hz)))}

    def network(self, n_controls: int, sample_rate: int, n_channels: int = 1) -> "TexEnvNetwork":
        from conditioned_synthesis.synthesisers.texenv.network import TexEnvNetwork

        return TexEnvNetwork(
            n_controls,
            sample_rate,
            seconds=self.seconds,
            n_bands=self.n_bands,
            low_hz=self.low_hz,
            envelope_hz=self.envelope_hz,
            channels=self.channels,
            n_layers=self.n_layers,
            hop=self.hop,
            n_channels=n_channels,
            losses=self.losses,
            rings=self.rings,
        )

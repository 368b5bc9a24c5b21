"""The settings of TexEnv, filtered noise with learned envelopes."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from conditioned_synthesis.synthesisers._base import TrainedSynthesiser, synthesisers

if TYPE_CHECKING:
    from conditioned_synthesis.synthesisers.texenv.network import TexEnvNetwork


@synthesisers.register
class TexEnv(TrainedSynthesiser):
    """Bands of noise multiplied with envelopes, which a convolutional network makes from the
    controls and noise of its own.

    After TexEnv (E. Gutierrez and L. Wyse, DAFx 2025). Unlike there, envelopes are not
    overlapping frames but continuous: so there is no seam, controls may move, and no two seconds
    are the same.
    """

    type: Literal["texenv"] = "texenv"
    num_steps: PositiveInt = 1500
    """Number of steps of the optimizer, Adam."""
    batch_size: PositiveInt = 16
    """Number of clips in a batch."""
    lr: PositiveFloat = 0.003
    """Learning rate of the optimizer."""
    checkpoint: PositiveInt = 250
    """Number of optimizer steps between checkpoints."""
    seconds: Annotated[float, Field(gt=0, le=600)] = 1.0
    """Length of a sound that is compared with a clip in training, in seconds."""
    n_bands: Annotated[int, Field(ge=3, le=128)] = 32
    """Number of bands, evenly spaced on the ERB scale."""
    low_hz: Annotated[float, Field(gt=0, le=4000)] = 30.0
    """Centre of the first band, in Hz."""
    envelope_hz: Annotated[float, Field(ge=1, le=10000)] = 250.0
    """Points of an envelope per second, about: the nearest for which there is a power of two of
    samples between two points."""
    channels: PositiveInt = 64
    """Number of channels of each layer of the network."""
    n_layers: Annotated[int, Field(ge=1, le=8)] = 5
    """Number of layers of the network. Each looks three times as far back as the one before; 5 look
    back for a second at 250 Hz."""

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
        )

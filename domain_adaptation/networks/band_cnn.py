"""A convolutional network that keeps the frequency axis to the end."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from domain_adaptation.networks._base import networks
from texturelib.config import Config

if TYPE_CHECKING:
    from torch import nn


@networks.register
class BandCnn(Config):
    """A convolutional network that keeps the frequency axis to the end.

    Its convolutions halve the frames, and at first the bands. After each stage, and before the
    first, every band of every channel is reduced to its mean and deviation over time, since a
    texture sounds the same at any moment.

    No layer knows which band it looks at. The controls are read from where along the bands
    something is, as the mean of its place, and from what it is there: a sound that is played
    slower, and so moves down by some bands, moves the labels of its pitch by as much, whether it is
    synthetic or not.
    """

    type: Literal["band_cnn"] = "band_cnn"
    channels: Annotated[tuple[PositiveInt, ...], Field(min_length=1, max_length=32)] = (
        16,
        32,
        64,
        64,
    )
    """Number of channels of each stage; multiples of 16 compute fastest."""
    convolutions_per_stage: Annotated[int, Field(ge=1, le=32)] = 1
    """Number of convolutions in each stage."""
    n_band_halvings: NonNegativeInt = 2
    """Number of first stages that halve the bands as well as the frames; later ones halve the
    frames only."""
    n_hidden: PositiveInt = 64
    """Number of values that describe each of the bands that are left."""
    n_heads: PositiveInt = 24
    """Number of heads, each of which looks for one thing along the bands."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Probability of dropout before the layer that describes the bands."""

    def encoder(self, input_shape: Sequence[int], n_controls: int) -> "nn.Module":
        from domain_adaptation.networks._band_cnn import BandEncoder

        return BandEncoder(
            input_shape,
            stage_channels=self.channels,
            convolutions_per_stage=self.convolutions_per_stage,
            n_band_halvings=self.n_band_halvings,
            n_hidden=self.n_hidden,
            n_heads=self.n_heads,
            dropout=self.dropout,
        )

    def head(self, n_features: int, n_controls: int) -> "nn.Module":
        from domain_adaptation.networks._band_cnn import SliderHead

        return SliderHead(n_features, n_controls)

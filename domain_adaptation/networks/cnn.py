"""The thesis's network."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PositiveInt

from domain_adaptation.networks._base import networks
from texturelib.config import Config

if TYPE_CHECKING:
    from torch import nn


@networks.register
class Cnn(Config):
    """The thesis's network: convolution blocks, one flat vector, and fully connected layers, each a
    fraction of the last."""

    type: Literal["cnn"] = "cnn"
    n_blocks: Annotated[int, Field(ge=1, le=32)] = 4
    """Number of convolution blocks."""
    kernel_size: PositiveInt = 3
    """Length of the convolution kernels along each axis."""
    stride: PositiveInt = 1
    """Stride of the convolutions."""
    pool_size: PositiveInt = 2
    """Size of the max pooling windows along each axis."""
    first_channels: PositiveInt | None = None
    """Channels of the first block; null takes as many as there are controls."""
    channel_factor: Annotated[int, Field(ge=1, le=16)] = 2
    """Factor from the number of channels of a block to that of the next."""
    n_head_layers: Annotated[int, Field(ge=1, le=32)] = 3
    """Number of fully connected layers."""
    head_factor: PositiveInt = 4
    """Factor by which each fully connected layer is smaller than the one before, down to the number
    of controls."""
    negative_slope: Annotated[float, Field(ge=0)] = 0.9
    """Slope of the LeakyReLU below 0."""

    def encoder(self, input_shape: Sequence[int], n_controls: int) -> "nn.Module":
        from domain_adaptation.networks._cnn import CnnEncoder

        return CnnEncoder(
            input_shape,
            n_blocks=self.n_blocks,
            first_channels=self.first_channels or n_controls,
            channel_factor=self.channel_factor,
            kernel_size=self.kernel_size,
            stride=self.stride,
            pool_size=self.pool_size,
            negative_slope=self.negative_slope,
        )

    def head(self, n_features: int, n_controls: int) -> "nn.Module":
        from domain_adaptation.networks._cnn import shrinking_head

        sizes = [
            max(n_controls, n_features // self.head_factor**index)
            for index in range(self.n_head_layers)
        ]
        return shrinking_head([*sizes, n_controls], self.negative_slope)

"""The modules of the thesis's network."""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import nn

from domain_adaptation.networks._norm_then_pool import NormThenPool
from texturelib.errors import UsageError


class CnnEncoder(nn.Module):
    """The thesis's encoder: convolution blocks, then one flat vector, [batch, channels, ...] ->
    [batch, n_features].

    One- or two-dimensional by the shape of its input. Each block: convolution without padding,
    batch normalisation, max pooling, LeakyReLU; its channels are `channel_factor` times those of
    the block before.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        *,
        n_blocks: int,
        first_channels: int,
        channel_factor: int,
        kernel_size: int,
        stride: int,
        pool_size: int,
        negative_slope: float,
    ) -> None:
        """Build the encoder.

        input_shape: (channels, length) or (channels, height, width) of one clip's features.
        first_channels: of the first block. Errors: UsageError when nothing is left of the input
        before the last block.
        """
        super().__init__()
        channels, *size = input_shape
        if len(size) not in (1, 2):
            raise ValueError(
                f"features of shape {tuple(input_shape)} should have one or two axes after the channels"
            )
        convolution, norm, pool = {
            1: (nn.Conv1d, nn.BatchNorm1d, nn.MaxPool1d),
            2: (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d),
        }[len(size)]
        is_fast = len(size) == pool_size == 2
        blocks: list[nn.Module] = []
        for index in range(n_blocks):
            new_channels = first_channels * channel_factor**index
            size = [((length - kernel_size) // stride + 1) // pool_size for length in size]
            if min(size) < 1:
                raise UsageError(
                    f"network.n_blocks: {n_blocks} is too many for features of {' x '.join(map(str, input_shape[1:]))}: "
                    f"nothing is left after block {index + 1}"
                )
            # The thesis pools after the LeakyReLU. That never falls, so the numbers are the same,
            # from fewer of them.
            pooled = (
                [NormThenPool(new_channels)] if is_fast else [norm(new_channels), pool(pool_size)]
            )
            blocks.append(
                nn.Sequential(
                    convolution(channels, new_channels, kernel_size, stride),
                    *pooled,
                    nn.LeakyReLU(negative_slope),
                )
            )
            channels = new_channels
        self.blocks = nn.Sequential(*blocks)
        if len(size) == 2:  # convolutions of so few channels are several times as fast then
            self.blocks.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.n_features = channels * math.prod(size)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the encodings. features: [batch, channels, ...] -> [batch, n_features]."""
        return self.blocks(features).flatten(1)


def shrinking_head(sizes: Sequence[int], negative_slope: float) -> nn.Sequential:
    """Return fully connected layers. sizes: of the input, and of each layer's output."""
    layers = [
        nn.Sequential(nn.Linear(size, new_size), nn.LeakyReLU(negative_slope))
        for size, new_size in itertools.pairwise(sizes)
    ]
    return nn.Sequential(*layers)

"""The modules of the thesis's network."""

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn

from domain_adaptation.networks._norm_then_pool import NormThenPool
from texturelib.errors import UsageError

if TYPE_CHECKING:
    from domain_adaptation.networks.cnn import Cnn


class CnnEncoder(nn.Module):
    """Convolution blocks, then one flat vector: [batch, channels, ...] -> [batch, n_features].

    One- or two-dimensional by the shape of its input. Each block: convolution without padding, batch normalisation,
    max pooling, LeakyReLU; its channels are `channel_factor` times those of the block before.
    """

    def __init__(self, config: "Cnn", input_shape: Sequence[int], first_channels: int) -> None:
        """input_shape: (channels, length) or (channels, height, width) of one clip's features.

        Errors: UsageError when nothing is left of the input before the last block.
        """
        super().__init__()
        channels, *size = input_shape
        if len(size) not in (1, 2):
            raise ValueError(f"features of shape {tuple(input_shape)} should have one or two axes after the channels")
        convolution, norm, pool = {
            1: (nn.Conv1d, nn.BatchNorm1d, nn.MaxPool1d),
            2: (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d),
        }[len(size)]
        is_fast = len(size) == config.pool_size == 2
        blocks: list[nn.Module] = []
        for index in range(config.n_blocks):
            new_channels = first_channels * config.channel_factor**index
            size = [((length - config.kernel_size) // config.stride + 1) // config.pool_size for length in size]
            if min(size) < 1:
                raise UsageError(
                    f"network.n_blocks: {config.n_blocks} is too many for features of {' x '.join(map(str, input_shape[1:]))}: "
                    f"nothing is left after block {index + 1}"
                )
            # The thesis pools after the LeakyReLU. That never falls, so the numbers are the same, from fewer of them.
            pooled = [NormThenPool(new_channels)] if is_fast else [norm(new_channels), pool(config.pool_size)]
            blocks.append(
                nn.Sequential(
                    convolution(channels, new_channels, config.kernel_size, config.stride),
                    *pooled,
                    nn.LeakyReLU(config.negative_slope),
                )
            )
            channels = new_channels
        self.blocks = nn.Sequential(*blocks)
        if len(size) == 2:  # convolutions of so few channels are several times as fast then
            self.blocks.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.n_features = channels * math.prod(size)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """features: [batch, channels, ...] -> [batch, n_features]."""
        return self.blocks(features).flatten(1)


def shrinking_head(sizes: Sequence[int], negative_slope: float) -> nn.Sequential:
    """sizes: of the input, and of each layer's output."""
    layers = [
        nn.Sequential(nn.Linear(size, new_size), nn.LeakyReLU(negative_slope)) for size, new_size in itertools.pairwise(sizes)
    ]
    return nn.Sequential(*layers)

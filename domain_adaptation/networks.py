"""The three networks of stage 3: encoder, regression head, classifier. Their sizes follow from config and input."""

import math
from collections.abc import Sequence

import torch
from torch import nn

from domain_adaptation.config import NetworkConfig
from texturelib.errors import UsageError


class Encoder(nn.Module):
    """Convolution blocks, then one flat vector: [batch, channels, ...] -> [batch, n_features].

    One- or two-dimensional by the shape of its input. Each block: convolution without padding, batch normalisation,
    LeakyReLU, max pooling; its channels are `channel_factor` times those of the block before.
    """

    def __init__(self, config: NetworkConfig, input_shape: Sequence[int], first_channels: int) -> None:
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
        blocks: list[nn.Module] = []
        for index in range(config.n_blocks):
            new_channels = first_channels * config.channel_factor**index
            size = [((length - config.kernel_size) // config.stride + 1) // config.pool_size for length in size]
            if min(size) < 1:
                raise UsageError(
                    f"network.n_blocks: {config.n_blocks} is too many for features of {' x '.join(map(str, input_shape[1:]))}: "
                    f"nothing is left after block {index + 1}"
                )
            blocks.append(
                nn.Sequential(
                    convolution(channels, new_channels, config.kernel_size, config.stride),
                    norm(new_channels),
                    nn.LeakyReLU(config.negative_slope),
                    pool(config.pool_size),
                )
            )
            channels = new_channels
        self.blocks = nn.Sequential(*blocks)
        self.n_features = channels * math.prod(size)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """features: [batch, channels, ...] -> [batch, n_features]."""
        return self.blocks(features).flatten(1)


def make_head(config: NetworkConfig, n_features: int, n_controls: int) -> nn.Sequential:
    """-> [batch, n_features] -> [batch, n_controls]: each layer's size is that of the last divided by `head_factor`."""
    sizes = [max(n_controls, n_features // config.head_factor**index) for index in range(config.n_head_layers)]
    layers = [
        nn.Sequential(nn.Linear(size, new_size), nn.LeakyReLU(config.negative_slope))
        for size, new_size in zip(sizes, [*sizes[1:], n_controls], strict=True)
    ]
    return nn.Sequential(*layers)


class Extractor(nn.Module):
    """Features of a clip -> its controls: encoder and head."""

    def __init__(self, config: NetworkConfig, input_shape: Sequence[int], n_controls: int) -> None:
        super().__init__()
        self.encoder = Encoder(config, input_shape, config.first_channels or n_controls)
        self.head = make_head(config, self.encoder.n_features, n_controls)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """features: [batch, channels, ...] -> [batch, n_controls], meant for 0..1 but not held to it."""
        return self.head(self.encoder(features))


def make_classifier(n_layers: int, negative_slope: float, n_features: int) -> nn.Sequential:
    """-> [batch, n_features] -> [batch, 1], the logit of "this is real": each layer halves the size, the last ends at one."""
    sizes = [max(1, n_features // 2**index) for index in range(n_layers)]
    layers: list[nn.Module] = []
    for size, new_size in zip(sizes, [*sizes[1:], 1], strict=True):
        layers += [nn.Linear(size, new_size), nn.LeakyReLU(negative_slope)]
    return nn.Sequential(*layers[:-1])

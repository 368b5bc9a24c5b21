"""The modules of the network that keeps the frequency axis."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn

from texturelib.errors import UsageError

if TYPE_CHECKING:
    from domain_adaptation.networks.band_cnn import BandCnn


class BandEncoder(nn.Module):
    """[batch, channels, bands, frames] -> [batch, n_hidden]."""

    def __init__(self, config: "BandCnn", input_shape: Sequence[int]) -> None:
        """input_shape: (channels, bands, frames) of one clip's features. Errors: UsageError when it is not."""
        super().__init__()
        if len(input_shape) != 3:
            raise UsageError(
                'network.type: "band_cnn" wants features with bands and frames, as of "log_bands" or "mel"; for others take "cnn"'
            )
        channels, n_bands, _ = input_shape
        self.input_norm = nn.BatchNorm1d(channels * n_bands)  # each band on its own
        self.stages = nn.ModuleList()
        n_pooled = channels * n_bands
        for stage, new_channels in enumerate(config.channels):
            halves_bands = stage < config.n_band_halvings
            layers: list[nn.Module] = []
            for index in range(config.convolutions_per_stage):
                kernel = 5 if stage == index == 0 else 3
                stride = ((2 if halves_bands else 1), 2) if index == 0 else (1, 1)
                layers += [
                    nn.Conv2d(channels, new_channels, kernel, stride, kernel // 2, bias=False),
                    nn.BatchNorm2d(new_channels),
                    nn.ReLU(inplace=True),
                ]
                channels = new_channels
            n_bands = -(-n_bands // 2) if halves_bands else n_bands
            n_pooled += channels * n_bands
            self.stages.append(nn.Sequential(*layers))
        self.stages.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster here
        # Means and deviations of many sizes: on one scale, the layer that reads them learns several times as fast.
        self.pooled_norm = nn.BatchNorm1d(2 * n_pooled)
        self.dropout = nn.Dropout(config.dropout)
        self.hidden = nn.Sequential(
            nn.Linear(2 * n_pooled, config.n_hidden), nn.BatchNorm1d(config.n_hidden), nn.ReLU(inplace=True)
        )
        self.n_features = config.n_hidden

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """features: [batch, channels, bands, frames] -> [batch, n_features]."""
        maps = self.input_norm(features.flatten(1, 2)).view_as(features).contiguous(memory_format=torch.channels_last)
        pooled = [_over_time(maps)]
        for stage in self.stages:
            maps = stage(maps)
            pooled.append(_over_time(maps))
        return self.hidden(self.dropout(self.pooled_norm(torch.cat(pooled, dim=1))))


class SliderHead(nn.Module):
    """[batch, n_features] -> [batch, n_controls], around the middle of a slider.

    Labels differ by little on a slider from 0 to 1. A layer that answered in such small numbers would be thrown about by
    every step of Adam, whose size does not depend on the gradient's.
    """

    def __init__(self, n_features: int, n_controls: int) -> None:
        super().__init__()
        self.linear = nn.Linear(n_features, n_controls)

    def forward(self, encoded: torch.Tensor) -> torch.Tensor:
        return 0.5 + 0.15 * self.linear(encoded)


def _over_time(maps: torch.Tensor) -> torch.Tensor:
    """maps: [batch, channels, bands, frames] -> [batch, 2 x channels x bands]: mean and standard deviation over the frames."""
    maps = maps.float()
    mean = maps.mean(dim=-1)
    # Not torch.var, which is several times as slow where channels lie together.
    variance = (maps * maps).mean(dim=-1) - mean * mean
    return torch.cat([mean, (variance.clamp(min=0.0) + 1e-4).sqrt()], dim=1).flatten(1)

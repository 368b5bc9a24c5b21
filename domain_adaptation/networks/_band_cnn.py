"""The modules of the network that keeps the frequency axis."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from texturelib.errors import UsageError

_VALUES = 4  # that a head reads where it looks
_REACH = 5  # bands


class BandEncoder(nn.Module):
    """The encoder that keeps the frequency axis: each head finds a place along the bands, and reads
    what is there.

    [batch, channels, bands, frames] -> [batch, n_features]
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        *,
        stage_channels: Sequence[int],
        convolutions_per_stage: int,
        n_band_halvings: int,
        n_hidden: int,
        n_heads: int,
        dropout: float,
    ) -> None:
        """Build the encoder.

        input_shape: (channels, bands, frames) of one clip's features. Errors: UsageError when it is
        not.
        """
        super().__init__()
        if len(input_shape) != 3:
            raise UsageError(
                'network.type: "band_cnn" wants features with bands and frames, as of "log_bands" or "mel"; for others take "cnn"'
            )
        channels, n_bands, _ = input_shape
        n_halvings = min(n_band_halvings, len(stage_channels))
        # Empty ones, until they can be halved that often.
        self._n_more_bands = -n_bands % 2**n_halvings
        n_bands += self._n_more_bands
        self._n_bands = n_bands // 2**n_halvings
        self.input_norm = nn.BatchNorm2d(channels)
        self.stages = nn.ModuleList()
        n_pooled = channels * n_bands
        for stage, new_channels in enumerate(stage_channels):
            layers: list[nn.Module] = []
            for index in range(convolutions_per_stage):
                kernel = 5 if stage == index == 0 else 3
                stride = ((2 if stage < n_halvings else 1), 2) if index == 0 else (1, 1)
                layers += [
                    nn.Conv2d(channels, new_channels, kernel, stride, kernel // 2, bias=False),
                    nn.BatchNorm2d(new_channels),
                    nn.ReLU(inplace=True),
                ]
                channels = new_channels
            n_bands = n_bands // 2 if stage < n_halvings else n_bands
            n_pooled += channels * n_bands
            self.stages.append(nn.Sequential(*layers))
        self.stages.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster here
        n_per_band = 2 * n_pooled // self._n_bands
        # Means and deviations of many sizes: on one scale, the layer that reads them learns several
        # times as fast.
        self.pooled_norm = nn.BatchNorm1d(n_per_band)
        self.dropout = nn.Dropout(dropout)
        self.hidden = _convolution(n_per_band, n_hidden, 1)
        self.around = nn.ModuleList(_convolution(n_hidden, n_hidden, _REACH) for _ in range(2))
        self.looks = nn.Conv1d(n_hidden, n_heads, 1)
        self.reads = nn.Conv1d(n_hidden, n_heads * _VALUES, 1)
        # From the middle.
        self.register_buffer(
            "place", torch.arange(self._n_bands) - (self._n_bands - 1) / 2, persistent=False
        )
        self.n_features = n_heads * (1 + _VALUES)
        self.norm = nn.BatchNorm1d(self.n_features)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the encodings. features: [batch, channels, bands, frames] -> [batch,
        n_features]."""
        maps = nn.functional.pad(self.input_norm(features), (0, 0, 0, self._n_more_bands))
        maps = maps.contiguous(memory_format=torch.channels_last)
        pooled = [self._over_time(maps)]
        for stage in self.stages:
            maps = stage(maps)
            pooled.append(self._over_time(maps))
        bands = self.hidden(self.dropout(self.pooled_norm(torch.cat(pooled, dim=1))))
        for layer in self.around:
            bands = bands + layer(bands)
        # The mean place, not the likeliest, so that it has a gradient: X. Sun et al., "Integral
        # human pose regression", ECCV 2018.
        attention = self.looks(bands).float().softmax(dim=-1)
        place = attention @ self.place
        values = self.reads(bands).unflatten(1, (-1, _VALUES)) * attention.unsqueeze(2)
        return self.norm(torch.cat([place, values.sum(dim=-1).flatten(1)], dim=1))

    def _over_time(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the mean and standard deviation over the frames.

        maps: [batch, channels, bands, frames] -> [batch, any, n_bands]; where there are more bands
        than at the end, neighbours lie side by side.
        """
        pooled = torch.cat(_MeanAndDeviation.apply(maps), dim=1)
        return pooled.unflatten(2, (self._n_bands, -1)).transpose(2, 3).flatten(1, 2)


def _convolution(n_before: int, n_after: int, reach: int) -> nn.Sequential:
    """Return a convolution along the bands: [batch, n_before, bands] -> [batch, n_after, bands]."""
    return nn.Sequential(
        nn.Conv1d(n_before, n_after, reach, padding=reach // 2, bias=False),
        nn.BatchNorm1d(n_after),
        nn.ReLU(inplace=True),
    )


class SliderHead(nn.Module):
    """The head: [batch, n_features] -> [batch, n_controls], around the middle of a slider.

    Labels differ by little on a slider from 0 to 1. A layer with such small outputs would be thrown
    about by every step of Adam, whose size does not depend on the gradient's.
    """

    def __init__(self, n_features: int, n_controls: int) -> None:
        super().__init__()
        self.linear = nn.Linear(n_features, n_controls)

    def forward(self, encoded: torch.Tensor) -> torch.Tensor:
        return 0.5 + 0.15 * self.linear(encoded)


class _MeanAndDeviation(torch.autograd.Function):
    """Mean and deviation over the frames, with a gradient in one pass.

    [batch, channels, bands, frames] of any precision -> two of [batch, channels, bands] float32.
    Its gradient written out is one pass over the maps. Automatic differentiation takes five, a
    tenth of a training step.
    """

    @staticmethod
    def forward(ctx: Any, maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        # As the maps lie in memory, channels last: reductions over another order are several times
        # as slow.
        wide = maps.permute(0, 2, 3, 1).float()
        mean = wide.mean(dim=2)
        deviation = ((wide.square().mean(dim=2) - mean.square()).clamp(min=0.0) + 1e-4).sqrt()
        ctx.save_for_backward(maps, mean, deviation)
        return mean.transpose(1, 2), deviation.transpose(1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        of_mean, of_deviation = (gradient.transpose(1, 2) for gradient in gradients)
        maps, mean, deviation = ctx.saved_tensors
        factor = of_deviation / (deviation * maps.shape[-1])
        constant = of_mean / maps.shape[-1] - mean * factor
        constant, factor = (
            x.to(maps.dtype, memory_format=torch.contiguous_format).unsqueeze(2)
            for x in (constant, factor)
        )
        return torch.addcmul(constant, maps.permute(0, 2, 3, 1), factor).permute(0, 3, 1, 2)

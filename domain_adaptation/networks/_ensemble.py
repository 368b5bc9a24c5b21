"""The modules of an ensemble."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn


class SideBySide(nn.Module):
    """Encoders of the same input, their features concatenated: [batch, channels, ...] -> [batch,
    n_features]."""

    def __init__(self, encoders: Sequence[nn.Module]) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)
        self.n_features = sum(cast("int", encoder.n_features) for encoder in encoders)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return torch.cat([encoder(features) for encoder in self.encoders], dim=1)


class Averaging(nn.Module):
    """The mean of the heads, each of which reads its own encoder's features: [batch, n_features] ->
    [batch, n_controls]."""

    def __init__(self, heads: Sequence[nn.Module]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(heads)

    def forward(self, encoded: torch.Tensor) -> torch.Tensor:
        return self.each(encoded).mean(dim=1)

    def each(self, encoded: torch.Tensor) -> torch.Tensor:
        """Return the labels of each member, [batch, members, n_controls]."""
        parts = encoded.chunk(len(self.heads), dim=1)
        return torch.stack(
            [head(part) for head, part in zip(self.heads, parts, strict=True)], dim=1
        )

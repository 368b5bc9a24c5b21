"""Max pooling by two, faster than torch's on a CPU."""

from typing import Any, cast

import torch
from torch import nn


class MaxPoolByTwo(nn.Module):
    """nn.MaxPool2d(2), number for number: whole rows are compared, then neighbours, where torch looks at window after window.

    Of equal values one gets the gradient, which need not be the one that torch would choose.
    """

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """maps: [batch, channels, height, width] -> [batch, channels, height // 2, width // 2]."""
        return cast("torch.Tensor", _MaxOfFour.apply(maps))


class _MaxOfFour(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: torch.Tensor) -> torch.Tensor:
        height, width = (length // 2 * 2 for length in maps.shape[-2:])
        upper, lower = maps[..., 0:height:2, :width], maps[..., 1:height:2, :width]
        rows = torch.maximum(upper, lower)
        left, right = rows[..., 0::2], rows[..., 1::2]
        ctx.save_for_backward(lower > upper, right > left)
        ctx.shape = maps.shape
        return torch.maximum(left, right)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        (gradient,) = gradients
        is_lower, is_right = ctx.saved_tensors
        height, width = (length // 2 * 2 for length in ctx.shape[-2:])
        rows = gradient.new_empty(is_lower.shape)
        rows[..., 1::2] = of_right = gradient * is_right
        torch.sub(gradient, of_right, out=rows[..., 0::2])
        is_whole = (height, width) == tuple(ctx.shape[-2:])
        maps = gradient.new_empty(ctx.shape) if is_whole else gradient.new_zeros(ctx.shape)
        maps[..., 1:height:2, :width] = of_lower = rows * is_lower
        torch.sub(rows, of_lower, out=maps[..., 0:height:2, :width])
        return maps

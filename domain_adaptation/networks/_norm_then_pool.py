"""Batch normalisation and max pooling by two in one step, several times as fast on a CPU as one
after the other."""

from typing import Any, cast

import torch
from torch import nn


class MaxPoolByTwo(nn.Module):
    """A faster nn.MaxPool2d(2) with equal results: whole rows are compared, then neighbours, where
    torch looks at window after window."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the pooled maps.

        maps: [batch, channels, height, width] -> [batch, channels, height // 2, width // 2].
        """
        height, width = (length // 2 * 2 for length in maps.shape[-2:])
        rows = torch.maximum(maps[..., 0:height:2, :width], maps[..., 1:height:2, :width])
        return torch.maximum(rows[..., 0::2], rows[..., 1::2])


class NormThenPool(nn.BatchNorm2d):
    """A faster nn.BatchNorm2d followed by nn.MaxPool2d(2); its weights and buffers are those of
    nn.BatchNorm2d.

    Normalisation is one gain and one offset per channel, so the largest of four is found first, and
    a quarter of the numbers is normalised. With the few channels of the thesis's network, the two
    would take longer than its convolutions.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Return the normalised and pooled maps.

        input: [batch, channels, height, width] -> [batch, channels, height // 2, width // 2].
        """
        if not self.training:
            return MaxPoolByTwo()(super().forward(input))
        pooled, mean, variance = cast(
            "tuple[torch.Tensor, ...]", _NormThenPool.apply(input, self.weight, self.bias, self.eps)
        )
        self._remember(mean, variance)
        return pooled

    @torch.no_grad()
    def _remember(self, mean: torch.Tensor, variance: torch.Tensor) -> None:
        tracked, running_mean, running_variance = (
            cast("torch.Tensor", buffer)
            for buffer in (self.num_batches_tracked, self.running_mean, self.running_var)
        )
        tracked += 1
        momentum = 1 / int(tracked) if self.momentum is None else self.momentum
        running_mean.lerp_(mean.to(running_mean), momentum)
        running_variance.lerp_(variance.to(running_variance), momentum)


class _NormThenPool(torch.autograd.Function):
    """Return the pooled maps, and the mean and the unbiased variance of each channel, which have no
    gradient.

    In training, with x the maps, n how many values a channel has, m and s their mean and deviation,
    g the gradient of the normalised maps (none but where a window has its largest value) and w the
    weight: the gradient of x is w / s (g - mean(g) - (x - m) / s mean(g (x - m) / s)) (S. Ioffe and
    C. Szegedy, "Batch normalization", ICML 2015).
    """

    @staticmethod
    def forward(
        ctx: Any, maps: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        # Channels last, as the convolution leaves them.
        last = maps.permute(0, 2, 3, 1).contiguous()
        n = last.numel() // last.shape[-1]
        wide = last.to(torch.promote_types(last.dtype, torch.float32))
        mean = _by_channel(wide) / n
        variance = (_by_channel(wide.square()) / n - mean.square()).clamp(min=0.0)
        gain = weight * (variance + eps).rsqrt()
        # Where a gain is negative, the smallest value becomes the largest.
        sign = torch.where(gain < 0, -1.0, 1.0).to(mean)
        turned = last * sign.to(last) if bool((gain < 0).any()) else last
        largest, places = nn.functional.max_pool2d(
            turned.permute(0, 3, 1, 2), 2, return_indices=True
        )
        ctx.save_for_backward(last, places, largest, sign, mean, variance, weight)
        ctx.eps = eps
        pooled = torch.addcmul(
            _of_maps(bias - mean * gain, maps), largest, _of_maps(gain * sign, maps)
        )
        ctx.mark_non_differentiable(mean, variance)
        return pooled, mean, variance * (n / max(1, n - 1))

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        last, places, largest, sign, mean, variance, weight = ctx.saved_tensors
        n = last.numel() // last.shape[-1]
        scale = (variance + ctx.eps).rsqrt()
        gradient = gradients[0].to(mean)
        of_bias = gradient.sum(dim=(0, 2, 3))
        of_weight = (
            (gradient * largest.to(mean)).sum(dim=(0, 2, 3)) * sign - of_bias * mean
        ) * scale
        of_largest = (gradient * _of_maps(weight * scale, gradient)).to(last)
        scattered = torch.ops.aten.max_pool2d_with_indices_backward(
            of_largest, last.permute(0, 3, 1, 2), [2, 2], [2, 2], [0, 0], [1, 1], False, places
        )
        factor = -weight * scale.square() * of_weight / n
        constant = -weight * scale * of_bias / n - mean * factor
        # All values of a clip in a row, so that few channels do not make short loops.
        n_clips, n_places = len(last), last[0].numel() // len(mean)
        rows = scattered.permute(0, 2, 3, 1).contiguous().view(n_clips, -1)
        rows.addcmul_(last.view(n_clips, -1), factor.to(rows).repeat(n_places)).add_(
            constant.to(rows).repeat(n_places)
        )
        return rows.view_as(last).permute(0, 3, 1, 2), of_weight, of_bias, None


def _by_channel(last: torch.Tensor) -> torch.Tensor:
    """Return the sum of each channel.

    last: [batch, height, width, channels] -> [channels]; clips are summed first, since these are
    long rows.
    """
    return last.view(len(last), -1).sum(dim=0).view(-1, last.shape[-1]).sum(dim=0)


def _of_maps(by_channel: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    return by_channel.to(maps).view(-1, 1, 1)

"""Interpolation between the weights before training and those after it."""

from collections.abc import Mapping

import torch
from torch import nn


def go(module: nn.Module, before: Mapping[str, torch.Tensor], how_far: float) -> None:
    """Move the weights of `module` along the straight line from `before` through their present
    values.

    how_far: 0 is `before`, 1 the present values, 2 as far again.
    """
    module.load_state_dict(
        {
            name: _moved(name, before[name], now, how_far)
            for name, now in module.state_dict().items()
        }
    )


def _moved(name: str, before: torch.Tensor, now: torch.Tensor, how_far: float) -> torch.Tensor:
    if not now.is_floating_point():
        return now
    if name.endswith("running_var"):  # in ratios: a variance stays positive, however far
        before, now = before.clamp(min=1e-12), now.clamp(min=1e-12)
        return before * (now / before) ** how_far
    return torch.lerp(before, now, how_far)

"""Features of a few clips at a time."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import torch

Settings = TypeVar("Settings")

# What is in the making of as many seconds of sound stays in a core's cache: of 64, features take twice as long.
_CLIPS = 16


def a_few_at_a_time(
    compute: "Callable[[Settings, torch.Tensor], torch.Tensor]",
) -> "Callable[[Settings, torch.Tensor], torch.Tensor]":
    """compute: of clips [batch, samples], each by itself -> the same, in parts where they are not on an accelerator."""

    @functools.wraps(compute)
    def computed(settings: Settings, clips: "torch.Tensor") -> "torch.Tensor":
        import torch

        if clips.device.type != "cpu" or len(clips) <= _CLIPS:
            return compute(settings, clips)
        return torch.cat([compute(settings, part) for part in clips.split(_CLIPS)])

    return computed

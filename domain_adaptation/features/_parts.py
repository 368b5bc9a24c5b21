"""Steps that several kinds of features share."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import torch

Settings = TypeVar("Settings")

# What is in the making of as many seconds of sound stays in a core's cache: of 64, features take
# twice as long.
_CLIPS = 16


def a_few_at_a_time(
    compute: "Callable[[Settings, torch.Tensor], torch.Tensor]",
) -> "Callable[[Settings, torch.Tensor], torch.Tensor]":
    """Return `compute`, applied to a few clips at a time where they are not on an accelerator.

    compute: a function of clips [batch, samples], each clip by itself.
    """

    @functools.wraps(compute)
    def computed(settings: Settings, clips: "torch.Tensor") -> "torch.Tensor":
        import torch

        if clips.device.type != "cpu" or len(clips) <= _CLIPS:
            return compute(settings, clips)
        return torch.cat([compute(settings, part) for part in clips.split(_CLIPS)])

    return computed


_STORED = 100.0
"""The peak above which clips come from a store, where each has its peak at 32767; resampling raises
a peak of 1 to under 2."""


def as_prepared(clips: "torch.Tensor") -> "torch.Tensor":
    """Return the clips at the level that `waveforms.prepared` gives them.

    clips: [batch, samples], from `waveforms.prepared`, or in 16 bits from a store. For features to
    which the level matters. A store does not know what resampling made of a clip's peak: its clips
    have a peak of 1 after it.
    """
    peak = clips.abs().amax(dim=-1, keepdim=True)
    return clips / peak.where(peak > _STORED, 1.0)

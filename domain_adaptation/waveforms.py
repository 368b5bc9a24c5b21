"""Clips as every kind of features wants them: one rate, one level."""

import functools
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import torchaudio


def peak_normalised(clips: torch.Tensor) -> torch.Tensor:
    """clips: [batch, samples], none silent -> the same, each with a peak of 1."""
    return clips / clips.abs().amax(dim=-1, keepdim=True)


def prepared(clips: torch.Tensor, sample_rate: int, new_sample_rate: int) -> torch.Tensor:
    """clips: [batch, samples], none silent -> [batch, samples x new_sample_rate / sample_rate, rounded up], peak-normalised
    before the resampling, as in the thesis."""
    clips = peak_normalised(clips)
    return clips if sample_rate == new_sample_rate else _resampler(sample_rate, new_sample_rate)(clips)


@functools.lru_cache(maxsize=4)
def _resampler(sample_rate: int, new_sample_rate: int) -> "torchaudio.transforms.Resample":
    import torchaudio

    return torchaudio.transforms.Resample(sample_rate, new_sample_rate)

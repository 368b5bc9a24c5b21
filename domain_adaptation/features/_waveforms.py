"""Steps that every kind of features begins with."""

import functools

import torch
import torchaudio


def peak_normalised(clips: torch.Tensor) -> torch.Tensor:
    """clips: [batch, samples], none silent -> the same, each with a peak of 1."""
    return clips / clips.abs().amax(dim=-1, keepdim=True)


def resampled(clips: torch.Tensor, sample_rate: int, new_sample_rate: int) -> torch.Tensor:
    """clips: [batch, samples] -> [batch, samples x new_sample_rate / sample_rate, rounded up]."""
    return _resampler(sample_rate, new_sample_rate)(clips)


@functools.lru_cache(maxsize=4)
def _resampler(sample_rate: int, new_sample_rate: int) -> torchaudio.transforms.Resample:
    return torchaudio.transforms.Resample(sample_rate, new_sample_rate)

"""Mel bands."""

import math

import torch


def mel_bands(sample_rate: int, n_fft: int, n_mels: int, low_hz: float = 30.0) -> torch.Tensor:
    """Return triangular bands, evenly spaced on the mel scale from `low_hz` to half the rate, each a
    mean over the bins of a spectrum; one that is narrower than a bin takes the bins beside it.

    -> [n_mels, n_fft // 2 + 1].
    """
    lowest, highest = (2595 * math.log10(1 + hz / 700) for hz in (low_hz, sample_rate / 2))
    mels = torch.linspace(lowest, highest, n_mels + 2, dtype=torch.float64)
    edges = 700 * (10 ** (mels / 2595) - 1) / sample_rate * n_fft  # in bins
    bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rise = (bins - centre) / (centre - low).clamp_min(1.0)
    fall = (centre - bins) / (high - centre).clamp_min(1.0)
    shapes = (1 + torch.minimum(rise, fall)).clamp_min(0)
    return (shapes / shapes.sum(1, keepdim=True)).float()

"""Phases for magnitudes that have none."""

import heapq
import math
from typing import Any

import numba
import numpy as np
import torch

from conditioned_synthesis.representations._spectral import Inversion
from conditioned_synthesis.representations.transforms.spectral import (
    SpectralTransform,
    phase_of,
    polar,
)

# A Hamming window of n samples is nearest to exp(-pi t^2 / gamma) for this gamma / n^2 (Z. Prusa,
# P. Balazs and P. Soendergaard, "A noniterative method for reconstruction of phase from STFT
# magnitude", IEEE/ACM TASLP 2017, table I).
_HAMMING = 0.29794
_TOLERANCE = math.log(1e-6)  # of the highest magnitude: below, phases are random
_MOMENTUM = (
    0.99  # N. Perraudin, P. Balazs and P. Soendergaard, "A fast Griffin-Lim algorithm", 2013
)


def with_phases(
    transform: SpectralTransform, log_magnitudes: torch.Tensor, inversion: Inversion, steps: int
) -> torch.Tensor:
    """Return spectra of these log magnitudes, with phases that fit them.

    Args:
        transform: whose spectra they are.
        log_magnitudes: in nepers.
        inversion: where the phases come from.
        steps: of the search that follows.

    Shape:
        log_magnitudes: [batch, bins, frames]
        -> complex [batch, bins, frames]
    """
    if inversion == "heap":
        logs = log_magnitudes.detach().cpu().numpy().astype(np.float64)
        phases = np.stack(
            [integrated_phases(each, transform.n_fft, transform.hop_length) for each in logs]
        )
        found = torch.from_numpy(phases).to(log_magnitudes)
    else:
        # The same for the same magnitudes, as a sound should be.
        rng = np.random.default_rng(log_magnitudes.shape[-1])
        drawn = rng.uniform(-math.pi, math.pi, log_magnitudes.shape[1:])
        found = torch.from_numpy(drawn).to(log_magnitudes).expand_as(log_magnitudes)
    return _searched(transform, polar(log_magnitudes, found), steps)


def _searched(transform: SpectralTransform, spectra: torch.Tensor, steps: int) -> torch.Tensor:
    """Return spectra of the same magnitudes and of phases by the fast Griffin-Lim algorithm."""
    magnitudes = spectra.abs()
    before = spectra
    for _ in range(steps):
        consistent = transform.spectra(transform.sounds(spectra))
        ahead = consistent + _MOMENTUM * (consistent - before)
        spectra = torch.polar(magnitudes, phase_of(ahead))
        before = consistent
    return spectra


@numba.njit(cache=True)
def integrated_phases(log_magnitudes: np.ndarray, n_fft: int, hop_length: int) -> np.ndarray:
    """Return phases whose gradients are those that the log magnitudes have, as in a spectrum with a
    Gaussian window, integrated from the highest magnitudes on to lower ones.

    log_magnitudes: [bins, frames] float64, in nepers -> the same shape, in radians.
    """
    n_bins, n_frames = log_magnitudes.shape
    gamma = _HAMMING * n_fft**2
    over_time, over_frequency = np.empty_like(log_magnitudes), np.empty_like(log_magnitudes)
    for bin_ in range(n_bins):
        above, below = min(bin_ + 1, n_bins - 1), max(bin_ - 1, 0)
        for frame in range(n_frames):
            after, before = min(frame + 1, n_frames - 1), max(frame - 1, 0)
            slope = log_magnitudes[above, frame] - log_magnitudes[below, frame]
            if above - below == 1:
                slope *= 2
            over_time[bin_, frame] = (
                hop_length * n_fft / (2 * gamma) * slope + 2 * np.pi * hop_length * bin_ / n_fft
            )
            slope = log_magnitudes[bin_, after] - log_magnitudes[bin_, before]
            if after - before == 1:
                slope *= 2
            # Phases count from the beginning of a frame, half a frame before its middle.
            over_frequency[bin_, frame] = -gamma / (2 * hop_length * n_fft) * slope - np.pi
    np.random.seed(0)
    phases = np.random.uniform(-np.pi, np.pi, log_magnitudes.shape)
    least = log_magnitudes.max() + _TOLERANCE
    is_open = log_magnitudes > least
    order = np.argsort(-log_magnitudes.ravel())
    heap: list[Any] = [(0.0, 0, 0)]  # numba takes its type from what it holds
    heap.pop()
    for place in order:
        bin_, frame = place // n_frames, place % n_frames
        if not is_open[bin_, frame]:
            continue
        is_open[bin_, frame] = False
        phases[bin_, frame] = 0.0
        heapq.heappush(heap, (-log_magnitudes[bin_, frame], bin_, frame))
        while len(heap):
            _, bin_, frame = heapq.heappop(heap)
            phase = phases[bin_, frame]
            for step in (-1, 1):
                to = frame + step
                if 0 <= to < n_frames and is_open[bin_, to]:
                    slope = (over_time[bin_, frame] + over_time[bin_, to]) / 2
                    phases[bin_, to] = phase + step * slope
                    is_open[bin_, to] = False
                    heapq.heappush(heap, (-log_magnitudes[bin_, to], bin_, to))
                to = bin_ + step
                if 0 <= to < n_bins and is_open[to, frame]:
                    slope = (over_frequency[bin_, frame] + over_frequency[to, frame]) / 2
                    phases[to, frame] = phase + step * slope
                    is_open[to, frame] = False
                    heapq.heappush(heap, (-log_magnitudes[to, frame], to, frame))
    return phases

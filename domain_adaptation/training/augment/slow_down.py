"""Augmentation by slow-down: a clip played slower, and the controls that it has then.

Engines declare how each control's value goes when time is stretched (`Control.laws`). That holds
for any sound of the kind, recorded or made, so it says of recordings without labels how far their
labels should lie apart.
"""

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from scipy.fft import next_fast_len

from domain_adaptation.features import Features
from texturelib.controls import Control


def slow_down_slopes(controls: Sequence[Control]) -> np.ndarray:
    """Return how far each label moves per unit of the logarithm of the slow-down.

    -> [controls]; nan where it is unknown.

    A slope that is the same everywhere, as if the control had no offset: of real clips nobody knows
    where on the slider they are. Near the low end of a control with an offset the true slope is
    steeper (of the liquid engine's smallest bubbles, by a fifth).
    """
    slopes = [control.slope("slow_down") for control in controls]
    return np.array([np.nan if slope is None else slope for slope in slopes], dtype=np.float32)


def most_slow_down(features: Features) -> float:
    """Return the largest slow-down of clips at which the end of their spectrum does not yet show in
    the features."""
    return features.sample_rate / 2 / features.highest_hz


def slowed(clips: torch.Tensor, factor: float, start: int = 0) -> tuple[torch.Tensor, float]:
    """Return the clips played `factor` times slower, and the exact factor, a little less.

    clips: [batch, samples] -> as many samples.

    For a factor over 1 only a part of a clip fills the time, from `start` on; for one under 1 it is
    looped, as a texture may be. By Fourier transforms, whose length is a product of small primes.
    """
    n_samples = clips.shape[-1]
    n_taken = samples_at(n_samples, factor)
    if n_taken > n_samples:
        clips = looped(clips, n_taken)
    start = min(start, clips.shape[-1] - n_taken)
    spectrum = torch.fft.rfft(clips[:, start : start + n_taken])
    n_bins = n_samples // 2 + 1
    # Cut where that is negative.
    padded = torch.nn.functional.pad(spectrum, (0, n_bins - spectrum.shape[-1]))
    return torch.fft.irfft(padded, n_samples) * (n_samples / n_taken), n_samples / n_taken


def slowed_by_chance(clips: torch.Tensor, low: float, high: float) -> tuple[torch.Tensor, float]:
    """Return the clips played slower by a random factor, and the exact factor.

    clips: [batch, samples] -> the same shape, from anywhere in the clips. The factor lies between
    low and high, equal ratios equally likely.
    """
    factor = math.exp(math.log(low) + math.log(high / low) * float(torch.rand(())))
    return slowed(clips, factor, int(torch.randint(longest_start(clips.shape[-1], factor) + 1, ())))


class Slowing:
    """Plays every second group of clips slower at random, with the controls that they have then."""

    _GROUP = 8

    def __init__(self, controls: Sequence[Control], slow_down: tuple[float, float]) -> None:
        """Prepare the slow-down. controls: each with a law. slow_down: the range of the factor."""
        self._controls = controls
        self._slow_down = slow_down

    def __call__(
        self, clips: torch.Tensor, truth: torch.Tensor, rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the clips, some of them slowed, with their controls and rows.

        clips: [batch, samples]. truth: [batch, controls]. rows: [batch]. Clips whose controls would
        leave the range of a slider are left out.
        """
        clips, truth = clips.clone(), truth.clone()
        for group in list(torch.arange(len(clips), device=clips.device).split(self._GROUP))[::2]:
            clips[group], factor = slowed_by_chance(clips[group], *self._slow_down)
            before = truth[group].cpu().numpy()
            after = [
                control.moved("slow_down", factor, before[:, i])
                for i, control in enumerate(self._controls)
            ]
            truth[group] = torch.from_numpy(np.stack(after, axis=1)).to(truth)
        is_known = truth.isfinite().all(dim=1)
        return clips[is_known], truth[is_known], rows[is_known]


def longest_start(n_samples: int, factor: float) -> int:
    """Return the last `start` that leaves enough of a clip for that slow-down."""
    return max(0, n_samples - samples_at(n_samples, factor))


def looped(clips: torch.Tensor, n_samples: int) -> torch.Tensor:
    """Return each clip repeated, with cross-fades of equal power over a fiftieth of it.

    -> [batch, at least n_samples]
    """
    n_fade = max(1, clips.shape[-1] // 50)
    angle = torch.linspace(0, torch.pi / 2, n_fade, device=clips.device)
    seam = clips[:, -n_fade:] * torch.cos(angle) + clips[:, :n_fade] * torch.sin(angle)
    long = clips
    while long.shape[-1] < n_samples:
        long = torch.cat([long[:, :-n_fade], seam, clips[:, n_fade:]], dim=1)
    return long


def samples_at(n_samples: int, factor: float) -> int:
    """Return how many samples of a clip become `n_samples` when it is slowed down, rounded up to a
    length that is fast for an FFT."""
    return cast("int", next_fast_len(round(n_samples / factor), real=True))

"""Clips at the rate and level that all kinds of features expect."""

import functools
import math

import torch


def peak_normalised(clips: torch.Tensor) -> torch.Tensor:
    """Return the clips, each with a peak of 1.

    clips: [batch, samples], none silent -> the same shape.
    """
    # Several times as fast as abs().
    peak = torch.maximum(clips.amax(dim=-1, keepdim=True), -clips.amin(dim=-1, keepdim=True))
    return clips / peak


def without_mean(clips: torch.Tensor) -> torch.Tensor:
    """Return the clips, each with a mean of 0: an offset (DC) is no sound.

    clips: [batch, samples] -> the same shape.
    """
    return clips - clips.mean(dim=-1, keepdim=True)


def to_full_scale(clips: torch.Tensor) -> torch.Tensor:
    """Return the clips in 16 bits, each with its peak at full scale.

    clips: [batch, samples], none silent -> the same shape.
    """
    return (peak_normalised(clips) * (2**15 - 1)).round().to(torch.int16)


def prepared(clips: torch.Tensor, sample_rate: int, new_sample_rate: int) -> torch.Tensor:
    """Return the clips peak-normalised, then resampled, as in the thesis.

    clips: [batch, samples], none silent -> [batch, samples x new_sample_rate / sample_rate, rounded
    up].
    """
    clips = peak_normalised(clips)
    return (
        clips if sample_rate == new_sample_rate else _resampler(sample_rate, new_sample_rate)(clips)
    )


class _Resampler:
    """Resampling with the same sums as torchaudio's, but without the zero weights.

    Between two whole numbers of periods, each new sample weighs a few old ones around it.
    torchaudio gives every one of them weights for the whole period, most of them zero; here
    neighbours share a window that is only as long as they need.
    """

    _N_WINDOWS = 8

    def __init__(self, sample_rate: int, new_sample_rate: int) -> None:
        from torchaudio.transforms import Resample

        divisor = math.gcd(sample_rate, new_sample_rate)
        self._old, self._new = sample_rate // divisor, new_sample_rate // divisor
        theirs = Resample(sample_rate, new_sample_rate)
        self._width = int(theirs.width)
        kernel = torch.as_tensor(theirs.kernel)[:, 0]  # [new, weights]
        self._windows: list[tuple[int, torch.Tensor]] = []
        for part in kernel.split(max(1, -(-self._new // self._N_WINDOWS))):
            used = part.abs().amax(dim=0).nonzero()[:, 0]
            first, last = int(used[0]), int(used[-1])
            self._windows.append((first, part[:, first : last + 1].T.contiguous()))

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """Return the clips resampled.

        clips: [batch, samples] -> [batch, samples x new rate / old rate, rounded up].
        """
        n_samples = clips.shape[-1]
        reach = n_samples // self._old * self._old
        padded = torch.nn.functional.pad(clips, (self._width, self._width + self._old))
        parts = []
        for first, weights in self._windows:
            needed = padded[:, first : first + reach + len(weights)]
            parts.append(needed.unfold(1, len(weights), self._old) @ weights.to(clips.device))
        resampled = torch.cat(parts, dim=2).reshape(len(clips), -1)
        return resampled[:, : -(-n_samples * self._new // self._old)]


@functools.lru_cache(maxsize=4)
def _resampler(sample_rate: int, new_sample_rate: int) -> _Resampler:
    return _Resampler(sample_rate, new_sample_rate)

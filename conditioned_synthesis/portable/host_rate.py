"""Bring a sound to the sample rate of the host, block by block."""

import math
from collections.abc import Callable

import numba
import numpy as np

from conditioned_synthesis.dsp.interpolation import EDGE, PHASES, TAPS, kernels_at


class HostRate:
    """A sound at another rate than it is made at; at the same rate, its samples as they are."""

    def __init__(
        self, make: Callable[[], np.ndarray], n_channels: int, own_rate: float, rate: float
    ) -> None:
        """make: returns the next samples at `own_rate`, [channels, samples] float32, each time it
        is called."""
        self._make = make
        self._ratio = own_rate / rate
        self._kernels = kernels_at(max(1.0, self._ratio))
        self._begin = 0  # the next sample at the host's rate
        # What was made and may still be read, from sample number `first` on: silence before 0.
        self._made, self._first = np.zeros((n_channels, EDGE), np.float32), -EDGE

    def render(self, n_samples: int) -> np.ndarray:
        """Return the next samples at the host's rate, [channels, samples] float32."""
        end = self._begin + n_samples
        is_same = self._ratio == 1.0
        last = end - 1 if is_same else math.floor((end - 1) * self._ratio) + EDGE
        parts, n_there = [self._made], self._made.shape[1]
        while self._first + n_there <= last:
            parts.append(self._make())
            n_there += parts[-1].shape[1]
        made = np.concatenate(parts, axis=1)
        if is_same:
            out = made[:, self._begin - self._first : end - self._first].copy()
        else:
            out = np.zeros((len(made), n_samples), np.float32)
            resample(out, made, self._first, self._begin, self._ratio, self._kernels)
        self._begin = end
        n_over = math.floor(end * self._ratio) - EDGE - self._first
        self._made, self._first = made[:, n_over:], self._first + n_over
        return out


@numba.njit(cache=True)
def resample(
    out: np.ndarray, made: np.ndarray, first: int, begin: int, ratio: float, kernels: np.ndarray
) -> None:
    """Write the samples from number `begin` on. first: the number of the first of `made`.

    Shape:
        out: [channels, samples] float32
        made: [channels, samples] float32
        kernels: [PHASES + 1, TAPS] float32
    """
    for index in range(out.shape[1]):
        at = (begin + index) * ratio
        whole = int(at)
        place = (at - whole) * PHASES
        phase = int(place)
        between = np.float32(place - phase)
        read = whole - (EDGE - 1) - first
        for channel in range(len(out)):
            total = np.float32(0)
            for tap in range(TAPS):
                lower, upper = kernels[phase, tap], kernels[phase + 1, tap]
                total += (lower + between * (upper - lower)) * made[channel, read + tap]
            out[channel, index] = total

"""The noise of a portable `texenv`: one loop for each band, made at the rate of the host.

As `conditioned_synthesis.dsp.noise_bands`, with two differences, so that a page can make it within
a tenth of a second: random numbers come from a hash that every language has, and the slow part of
an envelope is divided out at the band's own rate, not at that of the sound. `noiseLoop` in
web/core.js and `texture_loop` in C are the same, line by line.
"""

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from scipy.fft import next_fast_len

from conditioned_synthesis.portable.random_numbers import LOOP, SIDE, normals

_LEAST_ENVELOPE = 0.05  # of the mean one: a division by less would make a spike


def loop_lengths(n_bands: int, seconds: float, rate: float) -> list[int]:
    """Return the length of each band's loop in samples: even, with no prime factor above 5, each
    longer than the one before, so that together they do not repeat."""
    lengths, half = [], math.ceil(seconds * rate / 2) - 1
    for _ in range(n_bands):
        half = cast("int", next_fast_len(half + 1, real=True))
        lengths.append(2 * half)
    return lengths


def loops_of(header: Mapping[str, Any], rate: float) -> tuple[np.ndarray, list[int]]:
    """Return the loops of all bands of an instrument, and how long each is.

    header: of the instrument. rate: of the host -> [channels, bands, longest] float32, zeros after
    the end of a loop; [bands].
    """
    bands, slow_hz = header["bands"], header["sample_rate"] / header["hop"] / 2
    lengths = loop_lengths(bands["n"], header["loop_seconds"], rate)
    loops = np.zeros((header["channels"], bands["n"], max(lengths)), dtype=np.float32)
    for band, length in enumerate(lengths):
        angle = bands["angles"][band] if "angles" in bands else 0.0
        centre = bands["first_erb"] + band * bands["step_erb"]
        for channel, sign in zip(range(header["channels"]), (1, -1), strict=False):
            loops[channel, band, :length] = noise_loop(
                band, centre, bands["step_erb"], length, rate, slow_hz, sign * angle
            )
    return loops, lengths


def noise_loop(
    band: int,
    centre_erb: float,
    step_erb: float,
    length: int,
    rate: float,
    slow_hz: float,
    angle: float = 0.0,
) -> np.ndarray:
    """Return the loop of a band, of root mean square 1, [length] float32; zeros where the band
    lies above half the rate.

    Args:
        band: its number, which its random numbers depend on.
        centre_erb, step_erb: its centre, and that to the next one's, as ERB numbers.
        length: of the loop in samples, even.
        rate: samples per second.
        slow_hz: fluctuations of its envelope below this are divided out.
        angle: how much side noise goes in, -pi / 2 to pi / 2. Loops of two channels, with angle and
            -angle, are the less alike the larger it is.
    """
    low, high = (_hertz(centre_erb + sign * step_erb) for sign in (-1, 1))
    bin_hz = rate / length
    first = max(1, math.floor(low / bin_hz) + 1)
    last = min(length // 2 - 1, math.ceil(high / bin_hz) - 1)
    n_bins = last - first + 1
    if n_bins < 1:
        return np.zeros(length, dtype=np.float32)
    bins = np.arange(first, last + 1)
    distance = (21.4 * np.log10(1 + 0.00437 * bins * bin_hz) - centre_erb) / step_erb
    shape = np.cos(np.pi / 2 * np.clip(distance, -1, 1))
    drawn = np.cos(angle) * _noise(bins, LOOP, band) + np.sin(angle) * _noise(bins, SIDE, band)
    middle = (first + last) // 2
    # Long enough for the square of the envelope, and for what is divided by its slow part.
    n_small = 2 * cast("int", next_fast_len(2 * n_bins + math.ceil(slow_hz / bin_hz), real=True))
    small = np.zeros(n_small, dtype=complex)
    small[(bins - middle) % n_small] = shape * drawn
    signal = np.fft.ifft(small) * n_small
    envelope = np.abs(signal)
    spectrum = np.fft.fft(envelope)
    modulation_hz = np.abs(np.fft.fftfreq(n_small, 1 / n_small)) * bin_hz
    # Half a cosine, as a sharp edge rings, and rings through 0.
    spectrum *= np.cos(np.pi / 2 * np.minimum(modulation_hz / slow_hz, 1.0))
    slow = np.fft.ifft(spectrum).real
    flat = np.fft.fft(signal / np.maximum(slow, _LEAST_ENVELOPE * envelope.mean()))
    whole = np.zeros(length // 2 + 1, dtype=complex)
    offsets = np.arange(-(n_small // 2), n_small // 2)
    places, values = middle + offsets, flat[offsets]
    is_above, is_below = (
        (places > 0) & (places < length // 2),
        (-length // 2 < places) & (places < 0),
    )
    whole[places[is_above]] += values[is_above]
    whole[-places[is_below]] += np.conj(values[is_below])
    loop = np.fft.irfft(whole, length)
    return (loop / np.sqrt(np.mean(loop**2))).astype(np.float32)


def _noise(bins: np.ndarray, purpose: int, band: int) -> np.ndarray:
    real, imaginary = normals(0, bins, purpose, band)
    return real + 1j * imaginary


def _hertz(erb_number: float) -> float:
    return (10 ** (erb_number / 21.4) - 1) / 0.00437

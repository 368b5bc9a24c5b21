"""Where a recording's spectrum ends, and what to do about it in clips that are slowed down.

Played k times slower, a recording that reaches up to 22 kHz ends at 22 / k kHz. That end tells the
speed better than anything in the sound, and a network would learn it in place of the sound.
"""

from collections.abc import Iterable

import numpy as np

from texturelib.audio import mix_down

PASSED = 0.91
"""The share of the band, up to half the sample rate, that resampling leaves as it is."""

_N_FFT = 2048
_OVER_NOISE_DB = 6.0  # above the noise of 16 bits
_WHOLE = 0.98  # share of the band from which on it has no end of its own
# A spectrum ends where it falls by so much from this share of a frequency to it: by 40 dB an octave,
# and that of an mp3 by far more.
_BESIDE, _FALLEN_DB, _WALL_DB = 0.9, 6.0, 12.0
_STEEPEST_SLOPE = -24.0  # dB an octave, of continued spectra
_N_FITTED = 6  # parts of an octave, to which a slope is fitted


def band_end_hz(clips: Iterable[np.ndarray], sample_rate: int) -> float:
    """Return the frequency at which the spectrum of a recording ends: half its sample rate, or
    less where it was compressed, or had a lower rate before.

    Args:
        clips: some of it, each [samples] or [samples, channels].
    """
    power = np.zeros(_N_FFT // 2 + 1)
    window = np.hanning(_N_FFT).astype(np.float32)
    n_frames = 0
    for clip in clips:
        mono = mix_down(clip)
        padded = np.pad(mono, (0, max(0, _N_FFT - len(mono))))
        frames = np.lib.stride_tricks.sliding_window_view(padded, _N_FFT)[:: _N_FFT // 2]
        power += (np.abs(np.fft.rfft(frames * window, axis=1)) ** 2).sum(axis=0)
        n_frames += len(frames)
    if not n_frames:
        return sample_rate / 2
    power = np.convolve(power / n_frames, np.ones(5) / 5, mode="same")
    noise_of_16_bits = (2.0**-15) ** 2 / 12 * float((window**2).sum())
    decibels = 10 * np.log10(power + 1e-30)
    floor = 10 * np.log10(noise_of_16_bits)
    audible = np.flatnonzero(decibels > floor + _OVER_NOISE_DB)
    last = int(audible[-1]) if len(audible) else 0
    if last >= _WHOLE * len(power) or decibels[int(_BESIDE * last)] < floor + _WALL_DB:
        return sample_rate / 2
    # From where it falls. What fades into the noise of 16 bits has no end that could be seen.
    while last > 1 and decibels[last] < decibels[int(_BESIDE * last)] - _FALLEN_DB:
        last -= 1
    return last * sample_rate / _N_FFT


def continued(samples: np.ndarray, sample_rate: int, from_hz: float) -> np.ndarray:
    """Return a sound whose spectrum ends at a frequency, continued above it.

    The octave below is repeated, shifted up, so that what is above fluctuates as what is below
    does, and falls on with the same slope: spectral band replication (M. Dietz et al., "Spectral
    band replication, a novel approach in audio coding", 112th AES Convention, 2002), without its
    side information.

    Args:
        samples: silent at both ends, so that they fit together.

    Shape:
        samples: [samples, channels] -> the same
    """
    spectrum = np.fft.rfft(samples, axis=0)
    edge = int(from_hz / sample_rate * len(samples))
    top = min(len(spectrum), int(PASSED * len(samples) / 2))
    half = edge // 2
    width = edge - half
    above = np.arange(edge, top)
    if width < _N_FITTED * 4 or not len(above):
        return samples
    below = half + (above - edge) % width
    slope = _slope_db(np.abs(spectrum[half:edge]) ** 2, half)
    gain = 10 ** (slope * np.log2(above / below) / 20)
    spectrum[edge:top] = spectrum[below] * gain[:, None]
    spectrum[top:] = 0
    return np.fft.irfft(spectrum, len(samples), axis=0).astype(np.float32)


def without_highs(samples: np.ndarray, sample_rate: int, from_hz: float) -> np.ndarray:
    """Return a sound without what is above a frequency. Shape: as `continued`."""
    spectrum = np.fft.rfft(samples, axis=0)
    frequency = np.arange(len(spectrum)) * sample_rate / len(samples)
    # Falling over a twentieth of it, so that it does not ring.
    share = np.clip((from_hz - frequency) / (0.05 * from_hz), 0, 1)
    gain = 0.5 - 0.5 * np.cos(np.pi * share)
    return np.fft.irfft(spectrum * gain[:, None], len(samples), axis=0).astype(np.float32)


def _slope_db(power: np.ndarray, first: int) -> float:
    """Return the slope of a spectrum over an octave, in dB an octave; it never rises.

    Args:
        power: [bins] or [bins, channels], from bin `first` on.
    """
    mean = power.reshape(len(power), -1).mean(axis=1)
    octaves = np.log2(np.arange(first, first + len(power)) / first)
    part = np.minimum((octaves * _N_FITTED).astype(int), _N_FITTED - 1)
    counts = np.bincount(part, minlength=_N_FITTED)
    levels = 10 * np.log10(np.bincount(part, mean, _N_FITTED) / counts + 1e-30)
    slope = np.polyfit((np.arange(_N_FITTED) + 0.5) / _N_FITTED, levels, 1)[0]
    return float(np.clip(slope, _STEEPEST_SLOPE, 0.0))

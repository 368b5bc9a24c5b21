"""Log-frequency spectra of sounds: played k times slower, a sound's spectrum is shifted by log2(k)
octaves and otherwise the same."""

import math

import numpy as np

from conditioned_synthesis.dsp.equal_loudness import as_heard_db
from texturelib.errors import UsageError

STEP_OCTAVES = 1 / 12
_WIDTH_OCTAVES = 1 / 6  # from a band's centre to its ends
_LOWEST_HZ = 60.0
_LEAST_BINS = 6  # of the Fourier transform in the lowest band: fewer, and it is mostly chance
_DEEPEST_DB = 80.0  # below a spectrum's highest band: there, what is left is rounding or a filter
_SOUNDS_AT_A_TIME = 16


class LogSpectrum:
    """The spectrum of sounds of one length in bands of equal width in octaves, in dB.

    Args:
        sample_rate: of the sounds, in Hz.
        n_samples: of each sound.
        highest_hz: end of the band that all sounds have in common; None takes all up to half the
            sample rate.

    Errors: UsageError when the band is narrower than two octaves.
    """

    def __init__(self, sample_rate: int, n_samples: int, highest_hz: float | None = None) -> None:
        seconds = n_samples / sample_rate
        lowest_hz = max(_LOWEST_HZ, _LEAST_BINS / _WIDTH_OCTAVES / math.log(2) / seconds)
        highest_hz = min(highest_hz or math.inf, 0.98 * sample_rate / 2)
        if highest_hz < 4 * lowest_hz:
            raise UsageError(
                f"sounds of {seconds:g} s have two octaves or more that can be compared only where these end at "
                f"{4 * lowest_hz:.0f} Hz or above, not at {highest_hz:.0f} Hz"
            )
        self.sample_rate, self.n_samples = sample_rate, n_samples
        first, last = math.log2(lowest_hz), math.log2(highest_hz) - _WIDTH_OCTAVES
        self.octaves = np.arange(first, last, STEP_OCTAVES)
        """log2 of the bands' centres in Hz, [bands]."""
        bins_hz = np.fft.rfftfreq(n_samples, 1 / sample_rate)
        distance = np.abs(np.log2(np.maximum(bins_hz, 1e-9)) - self.octaves[:, None])
        self._weights = np.maximum(0, 1 - distance / _WIDTH_OCTAVES).T

    @property
    def centres_hz(self) -> np.ndarray:
        return 2**self.octaves

    def __call__(self, sounds: np.ndarray) -> np.ndarray:
        """Return the levels of the bands in dB, NaN for a sound that is silent.

        Shape:
            sounds: [sounds, n_samples] -> [sounds, bands]
        """
        parts = []
        for start in range(0, len(sounds), _SOUNDS_AT_A_TIME):
            part = np.asarray(sounds[start : start + _SOUNDS_AT_A_TIME], dtype=np.float64)
            power = np.abs(np.fft.rfft(part)) ** 2 @ self._weights / self.n_samples**2
            highest = power.max(axis=1, keepdims=True)
            with np.errstate(divide="ignore", invalid="ignore"):
                levels = 10 * np.log10(np.maximum(power, highest * 10 ** (-_DEEPEST_DB / 10)))
            parts.append(np.where(highest > 0, levels, np.nan))
        return np.concatenate(parts) if parts else np.empty((0, len(self.octaves)))

    @staticmethod
    def shifted(levels_db: np.ndarray, octaves: float) -> np.ndarray:
        """Return levels as they are that many octaves higher, NaN beyond their ends.

        levels_db: [bands] -> [bands].
        """
        places = np.arange(len(levels_db))
        return np.interp(
            places + octaves / STEP_OCTAVES, places, levels_db, left=np.nan, right=np.nan
        )


def centre_octaves(spectrum: LogSpectrum, levels_db: np.ndarray) -> np.ndarray:
    """Return the centre of each sound's spectrum as it is heard, in octaves (log2 of Hz).

    levels_db: [sounds, bands] -> [sounds].
    """
    heard_db = levels_db + as_heard_db(spectrum.centres_hz)
    power = 10 ** ((heard_db - heard_db.max(axis=1, keepdims=True)) / 10)
    return power @ spectrum.octaves / power.sum(axis=1)

"""Modulation spectra of the bands of sounds: played k times slower, bands and modulations lie k
times lower and are otherwise the same."""

import math

import numpy as np
from scipy.ndimage import map_coordinates

from conditioned_synthesis.laws.envelopes import band_of, intensity_spectrum

_STEP_OCTAVES = 0.5  # between the centres of bands and of modulations
_LOWEST_HZ = 150.0  # of the bands' centres
_FASTEST_HZ = 128.0
_LEAST_PERIODS = 4.0  # of a modulation in a sound
_FASTEST_SHARE = 0.3  # of a band's centre: faster ones are hardly let through
_FLOOR = 1e-7


class Modulations:
    """How strongly the intensity of bands fluctuates, by the bands' and the modulations'
    frequencies.

    Args:
        sample_rate: of the sounds, in Hz.
        n_samples: of each sound.
        highest_hz: end of the band that all sounds have in common; None takes all.
    """

    def __init__(self, sample_rate: int, n_samples: int, highest_hz: float | None = None) -> None:
        highest = min(highest_hz or math.inf, 0.98 * sample_rate / 2) / 1.45
        self._rate, self._seconds = sample_rate, n_samples / sample_rate
        lowest = min(max(_LOWEST_HZ, 25 / self._seconds), highest)
        slowest = min(_LEAST_PERIODS / self._seconds, _FASTEST_HZ)
        self._centres_hz = _steps(lowest, highest)
        self._modulations_hz = _steps(slowest, _FASTEST_HZ)

    def __call__(self, sounds: np.ndarray) -> np.ndarray:
        """Return the power of each modulation relative to the squared mean intensity, in dB.

        NaN where a band is silent, or too narrow for the modulation.

        Shape:
            sounds: [sounds, n_samples] -> [sounds, bands, modulations]
        """
        found = np.full((len(sounds), len(self._centres_hz), len(self._modulations_hz)), np.nan)
        bins_hz = np.fft.rfftfreq(sounds.shape[1], 1 / self._rate)
        edges = np.stack([self._modulations_hz * 2**side for side in (-0.25, 0.25)])
        edges = np.round(edges * self._seconds).astype(int)
        for row, sound in enumerate(sounds):
            spectrum = np.fft.rfft(np.asarray(sound, dtype=np.float64))
            for place, centre in enumerate(self._centres_hz):
                modulations, _ = intensity_spectrum(band_of(spectrum, bins_hz, centre))
                mean = modulations[0].real
                if not mean > 0:
                    continue
                total = np.append(0, np.cumsum(np.abs(modulations / mean) ** 2))
                first, last = np.minimum(edges, len(modulations))
                power = total[np.maximum(last, first + 1).clip(max=len(total) - 1)] - total[first]
                fits = self._modulations_hz <= _FASTEST_SHARE * centre
                found[row, place] = np.where(fits, 10 * np.log10(power + _FLOOR), np.nan)
        return found

    @staticmethod
    def shifted(values: np.ndarray, octaves: float) -> np.ndarray:
        """Return values as they are that many octaves higher, NaN beyond their ends.

        values: [bands, modulations] -> the same shape.
        """
        places = np.indices(values.shape) + octaves / _STEP_OCTAVES
        return map_coordinates(values, places, order=1, cval=np.nan)


def _steps(low: float, high: float) -> np.ndarray:
    n_steps = max(1, int(math.log2(high / low) / _STEP_OCTAVES) + 1)
    return low * 2 ** (_STEP_OCTAVES * np.arange(n_steps))

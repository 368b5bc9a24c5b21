"""Statistics of the intensity of bands of sounds, which change in a known way when independent
sounds are added.

A band's intensity is the square of its envelope. The cumulants of independent sounds add up, so for
n sounds of one texture the intensity's relative variance beyond that of noise goes as 1/n, and its
skewness as n^-1/2.
"""

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy.fft import next_fast_len

from conditioned_synthesis.dsp.equal_loudness import as_heard_db

_HALF_WIDTH = 0.45  # of a band, as a share of its centre
_N_BANDS = 6
_LOWEST_HZ, _HIGHEST_HZ = 150.0, 4200.0  # of the bands' centres, for sounds as they are
_LEAST_PERIODS = 25  # of the lowest band's width in a clip: fewer, and its statistics are chance
_SLOWEST_HZ, _FASTEST_HZ = 4.0, 64.0  # modulations
_SMOOTHED_HZ = (16.0, 64.0)  # ends of the modulations that intensities keep
_FLOOR = 1e-9


@dataclass(frozen=True)
class EnvelopeBands:
    """Bands in which the intensity of sounds of one length is measured.

    For a sound that is slowed down by k, bands and modulations are taken k times lower, so the
    statistics are those of the sound at its own speed.

    sample_rate: of the sounds, in Hz. n_samples: of each. highest_hz: end of the band that all
    sounds have in common. widest_ln_k: the largest |ln k| of the sounds.
    """

    sample_rate: int
    n_samples: int
    highest_hz: float
    widest_ln_k: float = 0.0

    @property
    def centres_hz(self) -> np.ndarray:
        """Centres of the bands of a sound that is not slowed down, [bands]."""
        room = math.exp(self.widest_ln_k)
        seconds = self.n_samples / self.sample_rate
        highest = min(self.highest_hz, 0.98 * self.sample_rate / 2) / (1 + _HALF_WIDTH) / room
        lowest = max(_LOWEST_HZ, _LEAST_PERIODS / seconds * room / (2 * _HALF_WIDTH))
        highest = min(_HIGHEST_HZ, highest)
        # In a band that is too narrow for all, the bands lie upon one another.
        return np.geomspace(min(lowest, highest), highest, _N_BANDS)

    def features(self, sound: np.ndarray, ln_k: float = 0.0) -> np.ndarray:
        """Return numbers that fall as layers are added, nearly in proportion to ln n.

        For each band, and for all together as loud as they are heard, at two smoothings: the
        logarithms of the intensity's relative variance and of the logarithm of its arithmetic over
        its geometric mean, which single bursts sway less.

        Shape:
            sound: [n_samples] -> [features], NaN for silence
        """
        spectrum, bins_hz = self._transform(sound)
        k = math.exp(ln_k)
        centres = self.centres_hz / k
        bands = [band_of(spectrum, bins_hz, centre) for centre in centres]
        first, last = np.searchsorted(
            bins_hz, [centres[0] * (1 - _HALF_WIDTH), centres[-1] * (1 + _HALF_WIDTH)]
        )
        # As it would be heard at its own speed.
        gains = 10 ** (as_heard_db(bins_hz[first:last] * k) / 20)
        bands.append(spectrum[first:last] * gains)
        return np.concatenate([_statistics(band, self._seconds / k) for band in bands])

    def excess(self, sounds: np.ndarray, ln_k: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Return the relative variance of each band's intensity beyond that of Gaussian noise, and
        the standard error of that.

        Of modulations from 4 to 64 Hz, over all sounds together: relative to the square of their
        common mean. What noise of the same spectrum has is subtracted, so for noise it is 0 but for
        chance, and may be negative. For n layers it is 1/n as large.

        Shape:
            sounds: [sounds, n_samples] -> [bands], [bands]
        """
        k = math.exp(ln_k)
        first = max(2, round(_SLOWEST_HZ / k * self._seconds))
        last = max(first + 1, round(_FASTEST_HZ / k * self._seconds))
        found = np.zeros((2, len(sounds), _N_BANDS))
        for row, sound in enumerate(sounds):
            spectrum, bins_hz = self._transform(sound)
            for place, centre in enumerate(self.centres_hz / k):
                found[:, row, place] = _excess(band_of(spectrum, bins_hz, centre), first, last)
        variances, means = found.mean(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            errors = found[0].std(axis=0) / math.sqrt(len(sounds))
            return variances / means**2, errors / means**2

    @property
    def _seconds(self) -> float:
        return self.n_samples / self.sample_rate

    def _transform(self, sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        samples = np.asarray(sound, dtype=np.float64)
        return np.fft.rfft(samples), np.fft.rfftfreq(len(samples), 1 / self.sample_rate)


def band_of(spectrum: np.ndarray, bins_hz: np.ndarray, centre_hz: float) -> np.ndarray:
    """Return the part of a spectrum in a band, weighted by a half cosine."""
    width = centre_hz * _HALF_WIDTH
    first, last = np.searchsorted(bins_hz, [centre_hz - width, centre_hz + width])
    return spectrum[first:last] * np.cos(math.pi / 2 * (bins_hz[first:last] - centre_hz) / width)


def intensity_spectrum(band: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the Fourier coefficients of a band's intensity from 0 Hz up, and the number of samples
    that show all of it."""
    # The square of an envelope reaches as far up as its band is wide, so twice as many samples.
    n_samples = cast("int", next_fast_len(2 * max(len(band), 8), real=True))
    intensity = np.abs(np.fft.ifft(band, n_samples)) ** 2
    return np.fft.rfft(intensity) / n_samples, n_samples


def _statistics(band: np.ndarray, seconds: float) -> np.ndarray:
    """Return the two statistics at each smoothing. seconds: the length of the sound at its own
    speed."""
    modulations, n_samples = intensity_spectrum(band)
    mean = modulations[0].real
    if not mean > 0:
        return np.full(2 * len(_SMOOTHED_HZ), np.nan)
    values = []
    for end_hz in _SMOOTHED_HZ:
        places = np.arange(len(modulations)) / max(2.0, end_hz * seconds)
        smooth = np.fft.irfft(modulations / mean * np.exp(-0.5 * places**2), n_samples) * n_samples
        smooth = np.maximum(smooth, _FLOOR)
        smooth /= smooth.mean()
        values += [np.log(smooth.var() + _FLOOR), np.log(_FLOOR - np.log(smooth).mean())]
    return np.array(values)


def _excess(band: np.ndarray, first: int, last: int) -> tuple[float, float]:
    """Return the variance of a band's intensity beyond that of noise, of the modulations from the
    first to before the last, and its mean."""
    modulations, _ = intensity_spectrum(band)
    last = min(last, len(modulations) - 1)
    variance = 2 * float((np.abs(modulations[first:last]) ** 2).sum())
    # The intensity of Gaussian noise has the autocorrelation of its power spectrum as its spectrum.
    power = np.abs(band) ** 2
    width = max(5, len(power) // 6 | 1)
    smooth = np.convolve(power, np.hanning(width + 2)[1:-1], "same")
    products = np.fft.irfft(np.abs(np.fft.rfft(smooth, 2 * len(smooth))) ** 2)
    mean = modulations[0].real
    noise = 2 * float(products[first:last].sum()) * (mean / max(smooth.sum(), _FLOOR**2)) ** 2
    return variance - noise, mean

"""Noise and sounds with a sloped spectrum."""

import numpy as np


def tilt(samples: np.ndarray, db_per_octave: float, sample_rate: int) -> np.ndarray:
    """Slope the spectrum around 1 kHz, flat under 30 Hz. samples: [samples], as is the result."""
    spectrum = np.fft.rfft(samples)
    frequency_hz = np.maximum(np.fft.rfftfreq(len(samples), 1 / sample_rate), 30.0)
    return np.fft.irfft(
        spectrum * 10 ** (db_per_octave * np.log2(frequency_hz / 1000) / 20), len(samples)
    )


def noise_below(
    samples: np.ndarray,
    level_db: float,
    slope_db_per_octave: float,
    sample_rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return noise, [samples], whose root mean square is `level_db` relative to that of `samples`.
    Slope 0 is white, -3 pink."""
    noise = tilt(rng.standard_normal(len(samples)), slope_db_per_octave, sample_rate)
    return noise * (root_mean_square(samples) / root_mean_square(noise) * 10 ** (level_db / 20))


def root_mean_square(samples: np.ndarray) -> float:
    """Return the root mean square, at least 1e-12, so that it can be divided by."""
    return max(float(np.sqrt(np.mean(samples**2))), 1e-12)

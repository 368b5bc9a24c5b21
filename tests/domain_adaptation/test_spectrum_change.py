import numpy as np
import pytest

from domain_adaptation.evaluation.spectrum_change import spectrum_change_db

RATE = 16000


def noise(response_db, n_clips: int = 60, n_samples: int = RATE, seed: int = 0) -> np.ndarray:
    """response_db: of the frequency in octaves from 1 kHz."""
    octaves = np.log2(np.maximum(np.fft.rfftfreq(n_samples, 1 / RATE), 20.0) / 1000)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((n_clips, n_samples)))
    return np.fft.irfft(spectrum * 10 ** (response_db(octaves) / 20), n_samples)


def test_level_and_tilt_are_no_change():
    one, other = (
        noise(lambda octaves: 0 * octaves),
        100 * noise(lambda octaves: -5 * octaves, seed=1),
    )
    assert spectrum_change_db(one, other, RATE) < 0.5


def test_a_change_is_measured_in_decibels():
    # A wave along the octaves, with nothing of a line in it: its root mean square is its height
    # over the square root of 2.
    one, other = (
        noise(lambda octaves: 0 * octaves),
        noise(lambda octaves: 6 * np.cos(np.pi / 2 * octaves)),
    )
    assert spectrum_change_db(one, other, RATE) == pytest.approx(6 / np.sqrt(2), rel=0.1)


def test_a_peak_that_moves_is_heard_and_a_straight_spectrum_that_moves_is_not():
    peak, lower = (noise(lambda octaves, at=at: -20 * np.abs(octaves - at)) for at in (0.0, -1.0))
    straight, slower = (noise(lambda octaves, at=at: -3 * (octaves - at)) for at in (0.0, -1.0))
    assert spectrum_change_db(peak, lower, RATE) > 4
    assert spectrum_change_db(straight, slower, RATE) < 0.5


def test_clips_that_are_too_short_tell_nothing():
    short = noise(lambda octaves: 0 * octaves, n_samples=16)
    assert np.isnan(spectrum_change_db(short, short, RATE))

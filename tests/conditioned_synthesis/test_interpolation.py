"""Sounds read at another speed."""

import numpy as np
import pytest

from conditioned_synthesis.dsp.interpolation import EDGE, add_resampled, bank_of, kernels_for

RATIO = 1.5
KERNELS = kernels_for(RATIO)


def read(sound: np.ndarray, position: float, step: float, n: int) -> np.ndarray:
    out = np.zeros((1, n), np.float32)
    kernels = KERNELS[bank_of(step, np.log(RATIO))]
    add_resampled(out, sound[None], position, step, 1.0, 1.0, kernels)
    return out[0]


def tone(share: float) -> np.ndarray:
    """share: of half the sample rate."""
    return np.rint(20000 * np.sin(np.pi * share * np.arange(4000))).astype(np.int16)


def test_samples_themselves_come_back_unchanged():
    sound = np.random.default_rng(0).integers(-30000, 30000, 1000).astype(np.int16)
    assert np.array_equal(read(sound, 100.0, 1.0, 500), sound[100:600])
    # Also by way of the kernel, where the speed leads back to a sample.
    assert np.allclose(read(sound, 100.0, 0.5, 500)[::2], sound[100:350], atol=0.05)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.85])
@pytest.mark.parametrize("step", [0.7, 1.0, 0.99])
def test_a_tone_is_the_same_tone_at_another_speed(share, step):
    positions = 200.3 + step * np.arange(2000)
    wanted = 20000 * np.sin(np.pi * share * positions)
    error = read(tone(share), 200.3, step, 2000) - wanted
    # 80 dB below the tone, where rounding to 16 bits alone leaves 92.
    assert 20 * np.log10(np.std(error) / np.std(wanted)) < -78


@pytest.mark.parametrize("step", [1.1, 1.3, 1.5])
def test_what_would_lie_beyond_the_band_is_cut_off(step):
    made = read(tone(0.98), 200.3, step, 2000)
    inside = read(tone(0.5 / step), 200.3, step, 2000)
    # 0.98 / 1.1 of the band is still within, by less than the filter is steep.
    if step > 1.1:
        assert np.std(made) < 0.01 * np.std(inside)
    assert np.std(inside) == pytest.approx(20000 / np.sqrt(2), rel=0.01)


def test_a_gain_is_a_straight_line():
    sound = np.full(1000, 1000, np.int16)
    out = np.ones((1, 100), np.float32)
    add_resampled(out, sound[None], float(EDGE), 1.0, 0.0, 0.5, KERNELS[0])
    assert np.allclose(out[0], 1 + 1000 * 0.5 * np.arange(1, 101) / 100, rtol=1e-5)

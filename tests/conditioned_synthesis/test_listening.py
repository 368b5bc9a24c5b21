import numpy as np
from scipy.signal import lfilter

from conditioned_synthesis.instrument.output_checks import flatness, quality_warning
from texturelib.audio import level_dbfs

NOISE = np.random.default_rng(0).normal(0, 0.1, 32000)


def test_white_noise_is_as_flat_as_can_be_and_pink_noise_is_not():
    assert 0.95 < (flatness(NOISE) or 0) <= 1
    assert 0 < (flatness(lfilter([1], [1, -0.95], NOISE)) or 0) < 0.4
    assert flatness(NOISE[:100]) is None  # too short to say


def test_silence_near_silence_and_white_noise_are_complained_of():
    assert quality_warning(np.zeros(16000), -20.0) == "is silence"
    assert "nearly silence" in (quality_warning(NOISE * 1e-3, -20.0) or "")
    assert "white noise" in (quality_warning(NOISE, -20.0, 0.3) or "")


def test_a_sound_like_those_that_were_learnt_from_is_not_complained_of():
    brown = lfilter([1], [1, -0.95], NOISE)
    assert quality_warning(brown, level_dbfs(brown), flatness(brown)) is None
    # Where the recordings are white noise themselves, white noise is right.
    assert quality_warning(NOISE, level_dbfs(NOISE), flatness(NOISE)) is None

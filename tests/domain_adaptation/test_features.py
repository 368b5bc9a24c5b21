import numpy as np
import pytest
import torch
from scipy import signal

from domain_adaptation.features._noise import LowNoise
from domain_adaptation.features.mel import Mel
from domain_adaptation.features.waveform import Waveform
from texturelib.errors import UsageError


def noise_clips(n_clips: int, n_samples: int = 44100, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((n_clips, n_samples)).astype(np.float32))


@pytest.mark.parametrize("features", [Mel(), Waveform()])
def test_a_clips_features_depend_on_no_other_clip_and_not_on_its_level(features):
    clips = noise_clips(3)
    together = features.compute(clips, 44100)
    alone = features.compute(0.01 * clips[1:2], 44100)
    # float32 rounding through a resampler, an FFT and a logarithm
    torch.testing.assert_close(together[1:2], alone, atol=1e-5, rtol=0)


def test_mel_features_have_the_thesis_shape_and_fill_zero_to_one():
    spectrogram = Mel().compute(noise_clips(2), 44100)
    assert spectrogram.shape == (2, 1, 56, 161)
    assert spectrogram.amin(dim=(1, 2, 3)).tolist() == [0, 0]
    assert spectrogram.amax(dim=(1, 2, 3)).tolist() == [1, 1]


def test_ten_decibels_less_are_an_eighth_of_the_way_down():
    # Two equally long tones, 10 dB apart, in bands far from each other: 80 dB fill the range 0..1.
    seconds = torch.arange(44100) / 44100
    loud, soft = torch.sin(2 * np.pi * 1000 * seconds), 10**-0.5 * torch.sin(2 * np.pi * 6000 * seconds)
    spectrogram = Mel().compute(torch.stack([loud, soft, loud + soft]), 44100)[:, 0, :, 20:140].mean(dim=-1)
    rows = spectrogram[0].argmax(), spectrogram[1].argmax()
    difference = spectrogram[2, rows[0]] - spectrogram[2, rows[1]]
    # Mel bands of different width catch a little more or less of a tone's energy: 2 dB at most here.
    assert float(difference) == pytest.approx(10 / 80, abs=2 / 80)


def test_waveform_features_are_the_resampled_clip():
    seconds = np.arange(44100) / 44100
    clip = torch.from_numpy(0.1 * np.sin(2 * np.pi * 440 * seconds).astype(np.float32))[None]
    waveform = Waveform(sample_rate=16000).compute(clip, 44100)
    assert waveform.shape == (1, 1, 16000)
    expected = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    # away from the ends, where the resampler's filter reaches past the clip
    np.testing.assert_allclose(waveform[0, 0, 100:-100], expected[100:-100], atol=0.01)


def test_noise_is_low_passed_and_as_loud_as_asked():
    rng = np.random.default_rng(0)
    clip = np.zeros(44100, np.float32)
    clip[0] = 1.0  # where the filter, starting from rest, has hardly any noise yet
    noisy = LowNoise(cutoff_hz=(200, 200), amount=(0.3, 0.3)).add(clip, 44100, rng)
    assert np.abs(noisy).max() == pytest.approx(1)
    noise = noisy[1:] / noisy[0]
    assert np.abs(noise).max() == pytest.approx(0.3, rel=0.01)
    frequency_hz, power = signal.welch(noise, 44100, nperseg=8192)
    # Second order: 12 dB an octave, so four octaves above the cutoff it is down by 48 dB, give or take the estimate.
    below, above = power[frequency_hz < 100].mean(), power[(frequency_hz > 3000) & (frequency_hz < 3400)].mean()
    assert 10 * np.log10(below / above) == pytest.approx(48, abs=4)


def test_settings_that_do_not_fit_the_clips_are_named():
    with pytest.raises(UsageError, match=r"features\.noise\.cutoff_hz: 9000 should be under half the clips' rate, 8000"):
        LowNoise(cutoff_hz=(50, 9000)).add(np.ones(100, np.float32), 16000, np.random.default_rng(0))
    with pytest.raises(UsageError, match=r"features\.n_fft: 400 is too long for clips of 160 samples at 32000 Hz"):
        Mel().compute(noise_clips(1, n_samples=160), 32000)


def test_features_without_noise_leave_synthetic_clips_alone():
    clip = np.random.default_rng(0).standard_normal(100).astype(np.float32)
    assert Mel(noise=None).disturb(clip, 44100, np.random.default_rng(0)) is clip

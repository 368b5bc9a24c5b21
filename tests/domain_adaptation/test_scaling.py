import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from domain_adaptation.training.augment.slow_down import longest_start, slow_down_slopes, slowed
from texturelib.controls import Control

RATE = 32000


def loudest_hz(clip: torch.Tensor) -> float:
    """Return the frequency of a tone, from a window that keeps its top narrow, between bins."""
    power = torch.fft.rfft(clip * torch.hann_window(len(clip))).abs().log()
    peak = int(power.argmax())
    left, top, right = (float(power[peak + step]) for step in (-1, 0, 1))
    return (peak + 0.5 * (left - right) / (left - 2 * top + right)) * RATE / len(clip)


@pytest.mark.parametrize("factor", [0.5, 0.65, 0.9, 1.0, 1.1, 1.6, 3.0])
def test_a_tone_played_slower_sounds_so_much_lower_and_as_loud(factor):
    seconds = torch.arange(RATE) / RATE
    # A whole number of periods in the part that is taken or looped would be an accident; 1234.5 Hz
    # is none of them.
    clips = torch.stack(
        [torch.sin(2 * math.pi * 1234.5 * seconds), 0.1 * torch.sin(2 * math.pi * 400.0 * seconds)]
    )
    slow, exact = slowed(clips, factor)
    assert slow.shape == clips.shape
    # Whatever length up to 2 percent off transforms fast.
    assert exact == pytest.approx(factor, rel=0.02)
    for clip, before, frequency_hz in zip(slow, clips, (1234.5, 400.0), strict=True):
        # A looped tone jumps in phase at each seam, which leans on its frequency: up to a period in
        # a second, or two.
        assert loudest_hz(clip) == pytest.approx(
            frequency_hz / exact, abs=1.5 if factor < 1 else 0.2
        )
        # In a seam's fiftieth of a clip, two tones of any phase are added: that much more or less
        # power.
        assert float(clip.square().mean()) == pytest.approx(float(before.square().mean()), rel=0.05)


@given(factor=st.floats(0.3, 4.0), n_samples=st.integers(1500, 5000), seed=st.integers(0, 99))
def test_noise_stays_as_loud_and_as_long_at_any_speed(factor, n_samples, seed):
    noise = torch.randn(1, n_samples, generator=torch.Generator().manual_seed(seed))
    slow, exact = slowed(noise, factor)
    assert slow.shape == noise.shape
    # 5-smooth numbers over 300 lie at most 6.7 percent apart.
    assert exact == pytest.approx(factor, rel=0.07)
    # Slower, all of the spectrum that was taken stays; faster, what no longer fits below half of
    # the rate is cut off.
    taken = noise[:, : round(n_samples / exact)]
    kept_share = min(1.0, exact)
    # n values of noise scatter by sqrt(2 / n) in power: 8 percent for 300. Four of these, and a
    # looped part counts twice.
    assert float(slow.square().mean()) == pytest.approx(
        float(taken.square().mean()) * kept_share, rel=0.35
    )


def test_slowing_by_one_changes_nothing():
    # 32000 has no prime factor over 5.
    noise = torch.randn(2, RATE, generator=torch.Generator().manual_seed(0))
    slow, exact = slowed(noise, 1.0)
    assert exact == 1
    torch.testing.assert_close(slow, noise, atol=1e-5, rtol=0)  # an FFT and back


def test_there_and_back_again_is_the_sound_that_was_taken():
    noise = torch.randn(1, RATE, generator=torch.Generator().manual_seed(0))
    slow, exact = slowed(noise, 1.6)
    back, other = slowed(slow, 1 / exact)
    assert other * exact == pytest.approx(1)
    taken = round(RATE / exact)
    # A fiftieth of the clip, at its end, is faded into its beginning.
    middle = slice(200, taken - 800)
    torch.testing.assert_close(back[0, middle], noise[0, middle], atol=0.05, rtol=0)


def test_a_part_may_begin_anywhere_up_to_the_last_that_fills_the_time():
    clip = torch.zeros(1, RATE)
    clip[:, 24000] = 1.0  # a click, three quarters through
    last = longest_start(RATE, 2.0)
    assert last == 16000
    slow, exact = slowed(clip, 2.0, last)
    assert exact == 2
    assert int(slow.abs().argmax()) == 16000  # half-way through what was taken
    assert torch.equal(slowed(clip, 2.0, last + 5000)[0], slow)  # no further than that
    assert longest_start(RATE, 1.0) == longest_start(RATE, 0.7) == 0


def test_a_looped_clip_has_no_click_at_its_seam_and_no_dip():
    noise = torch.randn(64, 8000, generator=torch.Generator().manual_seed(1))
    fast, _ = slowed(noise, 0.4)
    level = fast.square().mean(dim=0).reshape(-1, 40).mean(dim=1)  # over 64 clips, in 200 parts
    # 64 x 40 values, of which each fast one is an independent draw: 2.8 percent; four of these, over 200 parts
    assert float(level.max() / level.median()) < 1.12
    assert float(level.min() / level.median()) > 0.88


def test_labels_move_by_their_law_over_the_logarithm_of_the_sliders_range():
    controls = [
        Control("rate", 1.0, 100.0, "1/s", "exponential", laws={"slow_down": -1.0}),
        Control("size", 1.0, 10.0, "mm", "exponential", laws={"slow_down": 1.0}),
        Control("shape", 0.1, 10.0, "", "exponential", laws={"slow_down": 0.0}),
        Control("share", 0.0, 1.0, "", "linear", laws={"slow_down": -1.0}),
        Control("depth", 1.0, 10.0, "mm", "exponential"),
    ]
    slopes = slow_down_slopes(controls)
    # ln 10 slower is a tenth of the rate, half of two decades; a linear slider's steps differ, an
    # unknown law is unknown
    np.testing.assert_allclose(slopes * math.log(10), [-0.5, 1.0, 0.0, np.nan, np.nan], rtol=1e-6)


def test_a_control_without_offset_moves_by_its_slope():
    control = Control("rate", 2.0, 50.0, "1/s", "exponential", laws={"slow_down": -1.0})
    factors = np.array([0.5, 0.8, 1.0, 1.7])
    by_slope = 0.4 + slow_down_slopes([control])[0] * np.log(factors)
    np.testing.assert_allclose(control.moved("slow_down", factors, 0.4), by_slope, atol=1e-6)

"""The compiled loop adds up the bubbles that the formulas describe."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic_datasets.engines._bubbles import ring

RATE = 44100


def bubbles(
    n_bubbles: int, n_samples: int, low_mm: float, high_mm: float, seed: int
) -> dict[str, np.ndarray]:
    """Return bubbles of radii as given, at random times, with the physics of K. van den Doel; half
    of them rise."""
    rng = np.random.default_rng(seed)
    radius = rng.uniform(low_mm, high_mm, n_bubbles) / 1000
    damping = 0.13 / radius + 0.0072 * radius**-1.5
    return {
        "starts": np.sort(rng.choice(n_samples, n_bubbles, replace=False)),
        "amplitude": rng.uniform(0.1, 1, n_bubbles),
        "damping": damping,
        "frequency_hz": 3 / radius,
        "sweep_hz": 3 / radius * damping * 0.1 * rng.integers(0, 2, n_bubbles),
    }


def ring_sample_by_sample(
    cloud: dict[str, np.ndarray], n_voices: int, n_samples: int
) -> np.ndarray:
    """The same by sines and exponentials: at each sample each voice is asked what it says."""
    by_start = dict(zip(cloud["starts"].tolist(), range(len(cloud["starts"])), strict=True))
    voices: list[dict[str, Any]] = []
    out = np.zeros(n_samples)

    def seconds_since(bubble: int, n: int) -> float:
        return (n - cloud["starts"][bubble]) / RATE

    def envelope(bubble: int, n: int) -> float:
        return cloud["amplitude"][bubble] * np.exp(
            -cloud["damping"][bubble] * seconds_since(bubble, n)
        )

    for n in range(n_samples):
        if n in by_start:
            if len(voices) < n_voices:
                voices.append({"bubble": by_start[n], "fade_from": 0.0})
            else:
                quietest = min(voices, key=lambda voice: envelope(voice["bubble"], n))
                quietest.update(bubble=by_start[n], fade_from=quietest["says"])
        for voice in voices:
            bubble, t = voice["bubble"], seconds_since(voice["bubble"], n)
            frequency, sweep = cloud["frequency_hz"][bubble], cloud["sweep_hz"][bubble]
            sound = envelope(bubble, n) * np.sin(2 * np.pi * (frequency * t + sweep * t * t / 2))
            share = min(1.0, t * frequency)  # of the first period
            voice["says"] = (1 - share) * voice["fade_from"] + share * sound
        out[n] = sum(voice["says"] for voice in voices)
    return out


@pytest.mark.slow
@given(seed=st.integers(0, 2**32), n_voices=st.integers(1, 5), n_bubbles=st.integers(0, 12))
@settings(max_examples=15)  # the loop in Python is slow
def test_the_compiled_loop_agrees_with_sines_and_exponentials_taken_sample_by_sample(
    seed: int, n_voices: int, n_bubbles: int
) -> None:
    # 1,000 samples are 23 ms, in which bubbles of 4 mm and more fall by 15 dB at most: none is ever cut as inaudible.
    cloud = bubbles(n_bubbles, 1000, 4, 20, seed)

    samples = ring(**cloud, n_voices=n_voices, n_samples=1000, sample_rate=RATE)

    assert samples.dtype == np.float32
    # Up to 5 voices are added in float32, whose step at 5 is 4.8e-7.
    np.testing.assert_allclose(
        samples, ring_sample_by_sample(cloud, n_voices, 1000), atol=5 * 4.8e-7
    )


@given(seed=st.integers(0, 2**32), n_voices=st.integers(1, 5), n_before=st.integers(1, 900))
@settings(max_examples=15)
def test_bubbles_that_began_before_the_sound_ring_on_into_it(
    seed: int, n_voices: int, n_before: int
) -> None:
    cloud = bubbles(12, 1000, 4, 20, seed)
    later = cloud | {"starts": cloud["starts"] - n_before}

    samples = ring(**later, n_voices=n_voices, n_samples=1000 - n_before, sample_rate=RATE)

    whole = ring(**cloud, n_voices=n_voices, n_samples=1000, sample_rate=RATE)
    np.testing.assert_allclose(samples, whole[n_before:], atol=5 * 4.8e-7)  # as above


@pytest.mark.parametrize("n_voices", [2, 128])
def test_small_bubbles_that_are_cut_as_inaudible_are_missed_by_100_db_at_most(
    n_voices: int,
) -> None:
    # Bubbles of 0.6 to 1 mm fall by 100 dB within 20 ms; here 60 of them start within 100 ms.
    cloud = bubbles(60, 4410, 0.6, 1, seed=0)

    samples = ring(**cloud, n_voices=n_voices, n_samples=4410, sample_rate=RATE)

    # 20 at once, each of 1.
    np.testing.assert_allclose(
        samples, ring_sample_by_sample(cloud, n_voices, 4410), atol=20 * 1e-5
    )


def test_taking_a_voice_does_not_click() -> None:
    # Two slow loud bubbles on one voice: the second starts at the top of the first one's third
    # period.
    cloud = {
        "starts": np.array([0, 1240]),
        "amplitude": np.array([1.0, 1.0]),
        "damping": np.array([5.0, 5.0]),
        "frequency_hz": np.array([80.0, 80.0]),
        "sweep_hz": np.zeros(2),
    }

    samples = ring(**cloud, n_voices=1, n_samples=2000, sample_rate=RATE)

    # A sine of 80 Hz moves by 2 pi 80 / 44100 = 0.0114 a sample at most, the fade adds as much
    # again; a click jumps by 0.9.
    assert samples[1239] > 0.8
    assert np.abs(np.diff(samples)).max() < 2 * 0.0114


def test_no_bubbles_are_silence() -> None:
    samples = ring(**bubbles(0, 100, 1, 2, seed=0), n_voices=4, n_samples=100, sample_rate=RATE)

    np.testing.assert_array_equal(samples, np.zeros(100, np.float32))

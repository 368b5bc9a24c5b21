"""Rain turns the way its sliders say, and obeys the formulas that it names."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import spearmanr

from synthetic_datasets.engines import _drops
from synthetic_datasets.engines.rain import (
    Rain,
    bubble_radius,
    impact,
    minnaert_hz,
    terminal_velocity,
)

RATE = 44100
CONTROLS = {control.name: control for control in Rain.available}
MIDDLE = dict.fromkeys(CONTROLS, 0.5)
SLIDERS = np.linspace(0, 1, 24)


def rain(**parameters: Any) -> Rain:
    return Rain(controls=dict(MIDDLE), **parameters)


def render(
    engine: Rain, seed: int = 0, seconds: float = 1.0, sample_rate: int = RATE, **controls: float
) -> np.ndarray:
    return engine.render(
        MIDDLE | controls, seconds, sample_rate, np.random.default_rng(seed)
    ).astype(np.float64)


def along(name: str, descriptor: Callable[[np.ndarray], float], others_random: bool) -> float:
    """Return the rank correlation of a control with what is measured in 24 clips."""
    rng = np.random.default_rng(1)
    others = [
        {other: rng.random() if others_random else 0.5 for other in CONTROLS} for _ in SLIDERS
    ]
    clips = [
        render(rain(), seed, 1.0, RATE, **(others[seed] | {name: slider}))
        for seed, slider in enumerate(SLIDERS)
    ]
    return float(np.asarray(spearmanr(SLIDERS, [descriptor(clip) for clip in clips]))[0])


def unsteadiness(samples: np.ndarray) -> float:
    """How much the level of 10 ms changes, relative to its mean: of n equal drops in 10 ms, one
    over the root of n."""
    levels = np.sqrt((samples[: len(samples) // 441 * 441].reshape(-1, 441) ** 2).mean(axis=1))
    return float(levels.std() / levels.mean())


def centroid_hz(samples: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float(np.sum(np.fft.rfftfreq(len(samples), 1 / RATE) * power) / np.sum(power))


def ringing(samples: np.ndarray) -> float:
    """How far from flat 12 ms are between 1 and 16 kHz, in decibels, against the clip's mean: a
    ring is a line."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 512)[::256] * np.hanning(512)
    hz = np.fft.rfftfreq(512, 1 / RATE)
    power = np.abs(np.fft.rfft(frames))[:, (hz > 1000) & (hz < 16000)] ** 2 + 1e-14
    power /= power.mean(axis=0)
    return -float(np.mean(10 * np.log10(power).mean(axis=1) - 10 * np.log10(power.mean(axis=1))))


def test_more_drops_make_a_steadier_sound_whatever_the_other_sliders_are() -> None:
    assert along("rate", unsteadiness, others_random=True) < -0.8


def test_larger_drops_sound_lower_whatever_the_other_sliders_are() -> None:
    assert along("drop_size", centroid_hz, others_random=True) < -0.8


def test_more_water_rings_more() -> None:
    # Larger drops leave larger bubbles, which ring longer; and many rings at a time hide each
    # other: so these are held.
    assert along("water", ringing, others_random=False) > 0.8


def test_a_higher_rate_and_larger_drops_are_louder() -> None:
    def level_db(samples: np.ndarray) -> float:
        return float(10 * np.log10(np.mean(samples**2)))

    assert along("rate", level_db, others_random=False) > 0.8
    assert along("drop_size", level_db, others_random=False) > 0.8


@pytest.mark.parametrize(
    ("diameter_mm", "measured"),
    [(0.3, 1.17), (0.5, 2.06), (1, 4.03), (2, 6.49), (3, 8.06), (4, 8.83), (5, 9.09)],
)
def test_drops_fall_as_fast_as_gunn_and_kinzer_measured(
    diameter_mm: float, measured: float
) -> None:
    # R. Gunn and G. D. Kinzer, Journal of Meteorology 6, 1949, in m/s. Atlas et al. fit them within
    # 2 % from 0.6 mm on.
    assert terminal_velocity(diameter_mm) == pytest.approx(measured, rel=0.03)


def test_the_energy_of_an_impact_is_mass_times_squared_velocity() -> None:
    # From 2 to 4 mm: 8 times the mass, at 8.83 instead of 6.49 m/s; each velocity is fitted within
    # 1.2 %.
    assert impact(4.0) ** 2 == pytest.approx(8 * (8.83 / 6.49) ** 2, rel=0.05)


def test_a_bubble_rings_at_minnaerts_pitch() -> None:
    # The figure in the textbooks: 3.26 m/s over the radius, so 1.09 kHz for 3 mm; 1 % for what they
    # take for the pressure.
    assert minnaert_hz(3.0) == pytest.approx(3.26 / 0.003, rel=0.01)


def test_small_drops_leave_one_bubble_each_of_14_khz_middle_ones_few_and_large_ones_many_low_ones() -> (
    None
):
    # What Medwin et al. 1992 saw: 0.8 to 1.1 mm near 14 kHz; 1.1 to 2.2 mm hardly; above, 2 to 10
    # kHz; below 0.8 mm none.
    chance = np.random.default_rng(0)
    radii = {mm: bubble_radius(np.full(4000, mm), chance) for mm in (0.6, 0.95, 1.6, 3.0, 4.6)}
    shares = {mm: np.mean(radius > 0) for mm, radius in radii.items()}

    assert shares[0.6] == 0
    assert shares[0.95] == 1
    assert 0.05 < shares[1.6] < 0.25
    assert shares[4.6] > shares[3.0] > 0.4
    assert np.median(minnaert_hz(radii[0.95])) == pytest.approx(14000, rel=0.05)
    of_large_hz = minnaert_hz(radii[4.6][radii[4.6] > 0])
    assert 1900 < of_large_hz.min() < 2500
    assert 9500 < of_large_hz.max() < 11500


def test_on_a_lake_drops_of_1_mm_are_heard_at_14_khz() -> None:
    engine = rain(size_shape=100)
    samples = render(engine, drop_size=float(CONTROLS["drop_size"].to_slider(0.95)), water=1.0)

    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    assert power[(hz > 12000) & (hz < 17000)].sum() > 0.6 * power.sum()


@pytest.mark.parametrize("per_second", [50, 500, 10000])
def test_as_many_drops_fall_as_the_rate_says(
    per_second: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[np.ndarray] = []
    monkeypatch.setattr(_drops, "add_clicks", lambda *arguments: seen.append(arguments[1]))

    render(rain(), seconds=2.0, rate=float(CONTROLS["rate"].to_slider(per_second)))

    # Independent drops: the count's standard deviation is the root of its mean.
    assert np.sum(seen[0] >= 0) == pytest.approx(2 * per_second, abs=5 * (2 * per_second) ** 0.5)


def test_bubbles_of_drops_before_the_clip_are_heard_in_it() -> None:
    # A downpour of drops of one size on a lake, of which nearly all that is heard are bubbles,
    # without the hush.
    engine = rain(size_shape=100, bubble_share=10, hush_m=6)
    clips = np.stack(
        [render(engine, seed, 0.2, 22000, rate=1.0, drop_size=1.0, water=1.0) for seed in range(30)]
    )

    # A drop of 3 mm leaves its bubble after 8 ms at least: begun from nothing, the first 10 ms are
    # 20 dB softer.
    levels_db = 10 * np.log10((clips.reshape(30, 20, -1) ** 2).mean(axis=(0, 2)))
    assert levels_db[0] == pytest.approx(levels_db[1:].mean(), abs=2)


@pytest.mark.parametrize("water", [0.0, 1.0])
def test_the_hush_is_what_the_drops_are_further_away(water: float) -> None:
    # Of drops that fall evenly, a ring of ground gives power as the logarithm of its outer over its
    # inner radius.
    def power_of(engine: Rain) -> np.ndarray:
        # Downpours of the largest drops, of nearly one size: no single drop decides.
        clips = [render(engine, seed, rate=1.0, drop_size=1.0, water=water) for seed in range(4)]
        power = np.mean(np.abs(np.fft.rfft(clips)) ** 2, axis=0)
        hz = np.fft.rfftfreq(RATE, 1 / RATE)
        return np.array(
            [
                power[(hz >= centre / 1.41) & (hz < centre * 1.41)].sum()
                for centre in (1000, 2000, 4000, 8000)
            ]
        )

    held = {"size_shape": 50, "nearest_m": 5.9, "farthest_m": 6}
    drops = power_of(rain(**held, hush_m=6))
    drops_and_hush = power_of(rain(**held, hush_m=60))

    # 1.5 dB for the pitches of the 400 drops that the hush is made of, a few times as many as matter.
    expected = np.log(60 / 6) / np.log(6 / 5.9)
    np.testing.assert_allclose(
        10 * np.log10((drops_and_hush - drops) / drops), 10 * np.log10(expected), atol=1.5
    )


def test_a_downpour_of_large_drops_close_by_is_never_far_too_loud() -> None:
    # generate lowers what is above 1, by at most 12 dB then; a single drop of 8 mm at 1 m is the
    # worst there is.
    peaks = [
        np.abs(render(rain(), seed, rate=1.0, drop_size=size, water=0.0)).max()
        for seed in range(15)
        for size in (0.5, 1.0)
    ]
    peaks += [
        np.abs(render(rain(), seed, rate=0.0, drop_size=1.0, water=0.0)).max() for seed in range(30)
    ]

    assert max(peaks) < 4


@pytest.mark.parametrize(
    "parameters",
    [
        {"size_shape": 1},
        {"nearest_m": 0.2, "farthest_m": 0.3, "hush_m": 1000},
        {"brightness": 10, "ground_spread_octaves": 3},
        {"brightness": 0.1, "click_ms": 10},
        {"click_ms": 0.05, "bubble_share": 10},
        {"bubble_share": 0},
    ],
)
def test_with_any_held_parameters_there_are_only_numbers(parameters: dict[str, float]) -> None:
    samples = render(rain(**parameters), sample_rate=8000, rate=1.0)

    assert np.isfinite(samples).all()
    assert samples.any()


def test_distances_out_of_order_are_named() -> None:
    with pytest.raises(
        ValidationError, match=r"nearest_m, farthest_m and hush_m: 7, 6, 9 should rise"
    ):
        rain(nearest_m=7)

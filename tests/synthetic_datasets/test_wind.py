"""Wind turns the way its sliders say, and obeys the formulas that it names."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import spearmanr

from synthetic_datasets.engines import _wakes
from synthetic_datasets.engines.wind import Wind, von_karman

RATE = 44100
CONTROLS = {control.name: control for control in Wind.available}
MIDDLE = dict.fromkeys(CONTROLS, 0.5)
SLIDERS = np.linspace(0, 1, 24)


def wind(**parameters: Any) -> Wind:
    return Wind(controls=dict(MIDDLE), **parameters)


def render(
    engine: Wind, seed: int = 0, seconds: float = 1.0, sample_rate: int = RATE, **controls: float
) -> np.ndarray:
    return engine.render(
        MIDDLE | controls, seconds, sample_rate, np.random.default_rng(seed)
    ).astype(np.float64)


def at_speed(metres_per_second: float) -> float:
    return float(CONTROLS["speed"].to_slider(metres_per_second))


def power_between(samples: np.ndarray, low_hz: float, high_hz: float) -> float:
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(np.sum(np.abs(np.fft.rfft(samples))[(hz >= low_hz) & (hz < high_hz)] ** 2))


def along(name: str, descriptor: Callable[[np.ndarray], float], others_random: bool) -> float:
    """Return the rank correlation of a control with what is measured in 24 clips."""
    rng = np.random.default_rng(1)
    others = [
        {other: rng.random() if others_random else 0.5 for other in CONTROLS} for _ in SLIDERS
    ]
    clips = [
        render(wind(), seed, 1.0, RATE, **(others[seed] | {name: slider}))
        for seed, slider in enumerate(SLIDERS)
    ]
    return float(np.asarray(spearmanr(SLIDERS, [descriptor(clip) for clip in clips]))[0])


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples**2)))


def share_above_1_khz(samples: np.ndarray) -> float:
    return power_between(samples, 1000, RATE / 2) / power_between(samples, 0, RATE / 2)


def swelling(samples: np.ndarray) -> float:
    """How much the level of 50 ms changes, in decibels, with the highs raised by 12 dB an octave.

    Low noise changes its level by chance, in steady wind too: of what is a bandwidth B wide, 50 ms
    hold 0.05 B chances.
    """
    raised = np.diff(samples, 2)
    return float(
        np.std(
            10
            * np.log10((raised[: len(raised) // 2205 * 2205].reshape(-1, 2205) ** 2).mean(axis=1))
        )
    )


def tonality(samples: np.ndarray) -> float:
    """How far the highest third-octave-weighted line of 23 ms stands out, in decibels: short, so
    that gusts do not smear it."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 1024)[::256] * np.hanning(1024)
    hz = np.fft.rfftfreq(1024, 1 / RATE)
    heard = (hz > 100) & (hz < 8000)
    power = np.abs(np.fft.rfft(frames))[:, heard] ** 2 * hz[heard]
    return float(np.mean(10 * np.log10(power.max(axis=1) / power.mean(axis=1))))


def test_faster_wind_is_louder_and_higher_whatever_the_other_sliders_are() -> None:
    assert along("speed", level_db, others_random=True) > 0.8
    assert along("speed", share_above_1_khz, others_random=True) > 0.8


def test_gustier_wind_swells_more() -> None:
    # Gusts of slow wind last longer than a clip, of which they show less: so the speed is held.
    assert along("gustiness", swelling, others_random=False) > 0.8


def test_more_whistling_stands_out_more() -> None:
    # A tone that a gust moves about stands out less, and slow wind whistles among the rush's
    # loudest part: both are held.
    assert along("whistling", tonality, others_random=False) > 0.8


@pytest.mark.parametrize("metres_per_second", [5.0, 10.0, 25.0])
@pytest.mark.parametrize("sample_rate", [8000, 44100])
def test_a_wire_of_4_mm_sings_at_strouhals_pitch(
    metres_per_second: float, sample_rate: int
) -> None:
    engine = wind(tone_widths_mm=[4.0])
    samples = render(
        engine, 0, 4.0, sample_rate, speed=at_speed(metres_per_second), gustiness=0.0, whistling=1.0
    )

    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / sample_rate)
    middle_hz = hz[np.searchsorted(np.cumsum(power), power.sum() / 2)]
    # 0.2 times the speed over the width; the band is 1/40 of it wide, and the chance of 4 s moves its middle within that.
    assert middle_hz == pytest.approx(0.2 * metres_per_second / 0.004, rel=0.02)


def test_tones_sound_from_the_start_of_a_clip_on() -> None:
    # Slow wind, whose tones, from 72 Hz on, take longest to ring up.
    clips = [
        render(wind(), seed, 0.4, 8000, speed=0.0, gustiness=0.0, whistling=1.0)
        for seed in range(100)
    ]

    # Begun from nothing, the first 20 ms are 8 dB softer.
    levels_db = 10 * np.log10((np.reshape(clips, (100, 20, -1)) ** 2).mean(axis=(0, 2)))
    assert levels_db[0] == pytest.approx(levels_db[1:].mean(), abs=2)


@pytest.mark.parametrize("whistling", [0.2, 0.5, 0.8])
def test_whistling_is_the_share_of_energy_in_tones(whistling: float) -> None:
    # A wire of 1 mm at 25 m/s sings at 5 kHz, far from most of the rush. Of a band of Q 40 all but
    # 5 % lies within 16 % of its centre; in 4 s its energy strays by some 5 % from what it is on
    # average.
    engine = wind(tone_widths_mm=[1.0])
    samples = render(engine, seconds=4.0, speed=at_speed(25), gustiness=0.0, whistling=whistling)
    rush = render(wind(), seconds=4.0, speed=at_speed(25), gustiness=0.0, whistling=0.0)

    in_tone = power_between(samples, 4200, 5800) - (1 - whistling) * power_between(rush, 4200, 5800)
    assert in_tone / power_between(samples, 0, RATE / 2) == pytest.approx(
        0.95 * whistling, rel=0.15
    )


def test_twice_the_speed_is_the_same_rush_an_octave_higher_and_7_db_louder() -> None:
    def octaves_db(metres_per_second: float, centres: list[float]) -> np.ndarray:
        samples = render(
            wind(), 0, 8.0, speed=at_speed(metres_per_second), gustiness=0.0, whistling=0.0
        )
        return 10 * np.log10(
            [power_between(samples, centre / 1.41, centre * 1.41) for centre in centres]
        )

    slow = octaves_db(10, [125, 250, 500, 1000, 2000])
    fast = octaves_db(20, [250, 500, 1000, 2000, 4000])

    # 20 log10 of 2^1.2 is 7.2 dB; of the slower wind the low cut takes some. 1 dB is left to chance.
    np.testing.assert_allclose(fast - slow, 7.2, atol=1.5)


def test_the_speed_is_the_mean_and_the_gustiness_its_spread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[np.ndarray] = []
    monkeypatch.setattr(_wakes, "add_wakes", lambda *arguments: seen.append(arguments[2]))

    render(
        wind(tone_widths_mm=[5.0]), 0, 40.0, 8000, speed=at_speed(20), gustiness=0.6, whistling=1.0
    )

    # 0.6 of the slider is a turbulence intensity of 0.3. 40 s hold some 200 gusts of 3 m: 10 %.
    speeds = seen[0][250:, 0] * 0.005 / 0.2  # after the 0.25 s before the clip, in steps of 1 ms
    assert speeds.mean() == pytest.approx(20, rel=1e-3)
    assert speeds.std() / speeds.mean() == pytest.approx(0.3, rel=0.1)
    assert speeds.min() > 0


def test_turbulence_has_von_karmans_spectrum() -> None:
    turns = np.stack(
        [von_karman(4096, 0.01, 0.5, np.random.default_rng(seed)) for seed in range(60)]
    )
    density = (np.abs(np.fft.rfft(turns * np.hanning(4096))) ** 2).mean(axis=0)
    hz = np.fft.rfftfreq(4096, 0.01)

    def level(centre: float) -> float:
        return float(10 * np.log10(density[(hz > centre / 1.1) & (hz < centre * 1.1)].mean()))

    assert turns.var() == pytest.approx(1, rel=0.05)
    # Kolmogorov's five thirds where eddies are small: 8 times the frequency is 15.05 dB less.
    assert level(4) - level(32) == pytest.approx(50 / 3 * np.log10(8), abs=0.5)
    # At f T = 1/8 von Karman's formula is (1 + 70.8 / 64)^(-5/6) of its value at 0: 2.7 dB less.
    # 0.07 to 0.17 Hz: within 0.4 dB of the value at 0.
    slow = float(10 * np.log10(density[3:8].mean()))
    assert slow - level(0.25) == pytest.approx(2.7, abs=1)


def test_a_gusty_whistling_storm_is_never_far_too_loud() -> None:
    # generate lowers what is above 1, by at most 12 dB then.
    storms = [
        render(wind(), seed, speed=1.0, gustiness=1.0, whistling=share)
        for seed in range(25)
        for share in (0.0, 1.0)
    ]

    assert max(np.abs(storm).max() for storm in storms) < 4


@pytest.mark.parametrize(
    "parameters",
    [
        {"narrowest_mm": 0.5, "widest_mm": 0.5},
        {"widest_mm": 1000, "common_mm": 0.5},
        {"narrowest_mm": 1000, "widest_mm": 1000, "common_mm": 1000},
        {"tone_widths_mm": [1, 1000], "tone_q": 100},
        {"tone_q": 2},
        {"gust_metres": 0.5, "gust_exponent": 2, "mean_exponent": 1.5},
        {"gust_metres": 100, "gust_exponent": 0.5, "mean_exponent": 0.5},
    ],
)
@pytest.mark.parametrize("speed", [0.0, 1.0])
def test_with_any_held_parameters_there_are_only_numbers(
    parameters: dict[str, Any], speed: float
) -> None:
    samples = render(wind(**parameters), sample_rate=8000, speed=speed, gustiness=1.0)

    assert np.isfinite(samples).all()
    assert samples.any()


def test_widths_out_of_order_are_named() -> None:
    with pytest.raises(ValidationError, match=r"narrowest_mm: 70 should be at most widest_mm, 60"):
        wind(narrowest_mm=70)

"""Fire turns the way its sliders say, and obeys the formulas that it names."""

from typing import Any

import numpy as np
import pytest
from scipy import signal
from scipy.stats import spearmanr

from synthetic_datasets.engines import _crackles
from synthetic_datasets.engines.fire import Fire

RATE = 44100
NAMES = [control.name for control in Fire.available]
SLIDERS = np.linspace(0, 1, 24)
SILENT_CRACKLES = {"crackle_rate": 0.0, "crackle_size": 0.0}  # 1 a second, of a peak of 0.01


def fire(**parameters: Any) -> Fire:
    return Fire(controls=dict.fromkeys(NAMES, 0.5), **parameters)


def render(
    engine: Fire, seed: int = 0, seconds: float = 1.0, sample_rate: int = RATE, **controls: float
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return engine.render(dict.fromkeys(NAMES, 0.5) | controls, seconds, sample_rate, rng)


def band(samples: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    return np.asarray(
        signal.sosfilt(
            signal.butter(4, (low_hz, high_hz), "bandpass", fs=RATE, output="sos"), samples
        )
    )


def levels_db(samples: np.ndarray, frame: int) -> np.ndarray:
    """Return a number per frame, [frames]."""
    return 10 * np.log10(
        (samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2).mean(axis=1)
    )


def onsets(samples: np.ndarray) -> float:
    """How often a millisecond above 1 kHz, where there is no roar, is 6 dB above what is usual:
    hiss is steadier than that."""
    levels = levels_db(band(samples, 1000, 20000), RATE // 1000)
    return len(signal.find_peaks(levels - np.median(levels), height=6, prominence=6)[0])


def burst_octave(samples: np.ndarray) -> float:
    """Mean octave of what the loudest 6 ms frames have above 800 Hz in excess of what is usual
    there: bursts, not hiss."""
    frequency_hz, _, spectrum = signal.stft(samples, RATE, nperseg=256)
    power = np.abs(spectrum[frequency_hz >= 800]) ** 2
    excess = power - np.median(power, axis=1, keepdims=True)
    loudest = excess.sum(axis=0) >= np.quantile(excess.sum(axis=0), 0.97)
    return float(
        np.average(
            np.log2(frequency_hz[frequency_hz >= 800]),
            weights=excess[:, loudest].clip(0).sum(axis=1),
        )
    )


def usual_high_level(samples: np.ndarray) -> float:
    """The median over time of the level of 6 to 14 kHz, in dB: crackles are too short to raise
    it."""
    return float(np.median(levels_db(band(samples, 6000, 14000), RATE // 200)))


def low_level(samples: np.ndarray) -> float:
    """The level of 40 to 250 Hz, under every crackle and hiss, in dB."""
    return float(levels_db(band(samples, 40, 250), len(samples))[0])


@pytest.mark.parametrize(
    ("control", "descriptor", "sign"),
    [
        ("crackle_rate", onsets, 1),
        ("crackle_size", burst_octave, -1),
        ("hiss", usual_high_level, 1),
        ("roar", low_level, 1),
    ],
)
def test_each_control_turns_what_its_name_says(control: str, descriptor: Any, sign: int) -> None:
    heard = [
        descriptor(render(fire(), seed, **{control: slider})) for seed, slider in enumerate(SLIDERS)
    ]

    assert sign * spearmanr(SLIDERS, heard)[0] >= 0.8


@pytest.mark.parametrize(
    ("control", "descriptor"), [("hiss", usual_high_level), ("roar", low_level)]
)
def test_the_noises_are_heard_whatever_the_other_sliders_say(control: str, descriptor: Any) -> None:
    rng = np.random.default_rng(0)

    heard = [
        descriptor(render(fire(), **dict(zip(NAMES, rng.random(4), strict=True)) | {control: x}))
        for x in SLIDERS
    ]

    assert spearmanr(SLIDERS, heard)[0] >= 0.8


def test_larger_crackles_are_louder() -> None:
    # Pressure grows with depth: 80 mm over 8 mm is 20 dB. Other chances, so the same strengths.
    soft, loud = (
        np.abs(render(fire(), hiss=0, roar=0, crackle_rate=1, crackle_size=slider)).max()
        for slider in (0.0, 1.0)
    )

    assert 20 * np.log10(loud / soft) == pytest.approx(20, abs=6)


@pytest.fixture
def burst_with(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return a list that is filled, at each rendering, with what the compiled loop is called with,
    and its result."""
    seen: dict[str, Any] = {}
    real_burst = _crackles.burst
    names = (
        "starts",
        "peak",
        "frequency_hz",
        "emptying_seconds",
        "emptying_level",
        "resonance",
        "noise",
    )

    def watched(*arguments: Any) -> np.ndarray:
        seen.update(zip(names, arguments, strict=False))
        seen["crackles"] = real_burst(*arguments)
        return seen["crackles"]

    monkeypatch.setattr(_crackles, "burst", watched)
    return seen


@pytest.mark.parametrize("slider", [0.2, 0.5, 1.0])
def test_as_many_pockets_burst_as_the_rate_says(burst_with: dict[str, Any], slider: float) -> None:
    render(fire(), seconds=20, crackle_rate=slider, crackle_size=0)
    per_second = 300**slider  # from 1 to 300 in equal ratios

    count = np.sum(burst_with["starts"] >= 0)

    # Poisson: 4 deviations.
    assert count == pytest.approx(20 * per_second, abs=4 * (20 * per_second) ** 0.5)


def test_each_pocket_obeys_the_formulas(burst_with: dict[str, Any]) -> None:
    # 0.5 on the slider is sqrt(8 * 80) = 25.3 mm, which lies between 12.6 and 50.6 mm; 6000 crackles fill that.
    render(fire(size_ratio=2.0, energy_exponent=2.0), seconds=20, crackle_rate=1.0)
    depth = 500 / (4 * burst_with["frequency_hz"])
    strength = np.abs(burst_with["peak"]) / (0.1 * depth / 0.080)

    assert 0.01264 < depth.min() < 0.0128
    assert 0.0500 < depth.max() < 0.0507
    assert np.median(depth) == pytest.approx(0.0253, rel=0.05)
    np.testing.assert_allclose(burst_with["emptying_seconds"], 100 * depth / 500)
    assert burst_with["emptying_level"] == pytest.approx(0.19953, rel=1e-4)  # -14 dB
    assert 1 <= strength.min() < 1.01
    assert 15 < strength.max() <= 20
    # Energies with a density of E^-2: those above E are one in E, so amplitudes above 3 are one in
    # 9. Cut off at an amplitude of 20, one in 400 is missing from the tail.
    assert np.mean(strength > 3) == pytest.approx(
        (1 / 9 - 1 / 400) / (1 - 1 / 400), abs=4 * (1 / 9 / 6000) ** 0.5
    )
    assert np.mean(burst_with["peak"] > 0) == pytest.approx(0.5, abs=4 * 0.5 / 6000**0.5)


def one_burst(
    frequency_hz: float, emptying_level: float, resonance: float = 1.5, sample_rate: int = RATE
) -> np.ndarray:
    """Return one second from one pocket that bursts after 0.1 s with a peak of 0.5, and empties in
    20 ms."""
    noise = np.random.default_rng(0).standard_normal(sample_rate).astype(np.float32)
    arrays = [np.array([value]) for value in (sample_rate // 10, 0.5, frequency_hz, 0.02)]
    return _crackles.burst(*arrays, emptying_level, resonance, noise, sample_rate, sample_rate)


@pytest.mark.parametrize("sample_rate", [22050, 44100, 192000])
@pytest.mark.parametrize("frequency_hz", [1562.5, 5000.0])
def test_a_burst_peaks_where_and_as_high_as_asked(frequency_hz: float, sample_rate: int) -> None:
    samples = one_burst(frequency_hz, 0.0, resonance=5.0, sample_rate=sample_rate)

    spectrum = np.abs(np.fft.rfft(samples))
    # Rung at 5 Hz steps or finer; the response's own start lets its peak lie up to a quarter lower.
    assert np.fft.rfftfreq(len(samples), 1 / sample_rate)[spectrum.argmax()] == pytest.approx(
        frequency_hz, rel=0.02
    )
    assert 0.3 < np.abs(samples).max() <= 0.5
    np.testing.assert_array_equal(samples[: sample_rate // 10], 0)


def test_gas_flows_out_of_a_pocket_for_its_time() -> None:
    flow = one_burst(5000.0, 0.2)
    click = one_burst(5000.0, 0.0)

    # 20 ms to 1/e: 8.69 dB each. A peak of 0.5 at 0.2 of it is 20 dB under 1, and over the first 10 ms 2 dB less.
    levels = levels_db(flow[4410 : 4410 + 6 * 441] - click[4410 : 4410 + 6 * 441], 441)
    # Few independent values of noise in 10 ms.
    np.testing.assert_allclose(levels, -20 - 2 - 4.343 * np.arange(6), atol=2)
    assert not flow[4410 + RATE // 4 :].any()  # 0.25 s: over 100 dB down


def test_a_pocket_too_small_for_the_sample_rate_leaves_its_skirt() -> None:
    full = one_burst(15625.0, 0.2, sample_rate=44100)
    low = one_burst(15625.0, 0.2, sample_rate=8000)

    assert 0 < np.abs(low).max() < np.abs(full).max()


def spectrum_of(
    engine: Fire, sample_rate: int = RATE, **controls: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies in Hz, and the power per Hz of 20 s without audible crackles."""
    samples = render(engine, 0, 20.0, sample_rate, **SILENT_CRACKLES | controls)
    return signal.welch(samples, sample_rate, nperseg=sample_rate // 4)


def test_the_levels_are_root_mean_squares() -> None:
    # 0.75 is -30 dB, of which the mean over 20 s keeps to within half a dB when nothing wanders.
    steady = fire(hiss_wander_db=0, flicker_db=0)
    for loud, soft in (("hiss", "roar"), ("roar", "hiss")):
        frequency_hz, power = spectrum_of(steady, **{loud: 0.75, soft: 0})
        audible = np.sum(power[frequency_hz <= 20000]) * frequency_hz[1]
        assert 10 * np.log10(audible) == pytest.approx(-30, abs=0.5)


def test_wandering_and_flickering_change_no_mean_power() -> None:
    # 40 clips of 1 s at 8 kHz; a deviation of 3 dB leaves the mean of 40 within some tenths of a dB.
    def power(engine: Fire) -> float:
        return float(
            np.mean(
                [
                    np.mean(render(engine, seed, 1.0, 8000, **SILENT_CRACKLES) ** 2)
                    for seed in range(40)
                ]
            )
        )

    assert 10 * np.log10(
        power(fire()) / power(fire(hiss_wander_db=0, flicker_db=0))
    ) == pytest.approx(0, abs=1)


@pytest.mark.parametrize("exponent", [2.5, 3.4])
def test_the_roar_falls_by_its_power_law(exponent: float) -> None:
    frequency_hz, power = spectrum_of(fire(roar_exponent=exponent, roar_hz=50), roar=1, hiss=0)
    falls = (frequency_hz > 200) & (frequency_hz < 1500)

    slope = np.polyfit(np.log(frequency_hz[falls]), np.log(power[falls]), 1)[0]

    assert slope == pytest.approx(-exponent, abs=0.15)  # 80 spectra are averaged: 11 % a bin


def test_the_hiss_is_strongest_at_its_peak_and_falls_by_6_db_an_octave() -> None:
    frequency_hz, power = spectrum_of(fire(hiss_hz=4000), hiss=1, roar=0)

    at = {
        octave: 10 * np.log10(power[np.abs(frequency_hz / octave - 1) < 0.1].mean())
        for octave in (500, 1000, 4000, 16000)
    }
    # x^2 / (1 + x^4) is 1/2 at x = 1, and near enough 1/64 at 1/8, 1/16 at 1/4 and at 4.
    assert at[500] - at[4000] == pytest.approx(10 * np.log10(2 / 64), abs=0.5)
    assert at[1000] - at[4000] == pytest.approx(10 * np.log10(2 / 16), abs=0.5)
    assert at[16000] - at[4000] == pytest.approx(10 * np.log10(2 / 16), abs=0.5)


def test_the_noises_are_the_same_at_any_sample_rate() -> None:
    spectra = [
        spectrum_of(fire(hiss_wander_db=0, flicker_db=0), rate, hiss=0.7, roar=0.7)
        for rate in (8000, 44100, 96000)
    ]

    for low_hz, high_hz in ((60, 150), (300, 800), (1500, 3500)):
        levels = [
            10 * np.log10(power[(hz > low_hz) & (hz < high_hz)].mean()) for hz, power in spectra
        ]
        np.testing.assert_allclose(levels, levels[1], atol=0.7)


@pytest.mark.parametrize(("flame_metres", "puffs_hz"), [(0.09, 5.0), (1.0, 1.5)])
def test_the_flames_puff_at_1_5_over_the_root_of_their_diameter(
    flame_metres: float, puffs_hz: float
) -> None:
    samples = render(
        fire(flame_metres=flame_metres, flicker_db=6.0),
        0,
        60.0,
        8000,
        **SILENT_CRACKLES,
        roar=1,
        hiss=0,
    )
    envelope = np.sqrt((samples.reshape(-1, 200) ** 2).mean(axis=1))  # at 40 Hz
    frequency_hz, power = signal.welch(np.log(envelope), 40, nperseg=400)

    # The noise's own fluctuations are white: only the band around the puffs stands out.
    around = power * frequency_hz
    strong = (frequency_hz > 0.3 * puffs_hz) & (frequency_hz < 2 * puffs_hz)
    centre = np.sum(frequency_hz[strong] * power[strong]) / np.sum(power[strong])
    assert centre == pytest.approx(puffs_hz, rel=0.15)
    assert around[strong].sum() > 0.2 * around.sum()


def test_a_clip_starts_in_mid_fire() -> None:
    clips = [render(fire(), seed, 0.2, crackle_rate=1.0, crackle_size=0.8) for seed in range(60)]

    # Of 300 crackles a second, the first 20 ms hold as many, and the ends of those before.
    levels = 10 * np.log10((np.stack(clips).reshape(60, 10, -1) ** 2).mean(axis=(0, 2)))
    assert levels[0] == pytest.approx(levels[1:].mean(), abs=2.5)


@pytest.mark.parametrize(
    "held",
    [{}, {"energy_exponent": 1.1}, {"size_ratio": 3.0, "resonance": 20.0}, {"emptying_db": -60.0}],
)
def test_with_any_held_parameters_there_are_only_numbers(held: dict[str, float]) -> None:
    for sample_rate in (8000, 192000):
        samples = render(fire(**held), 0, 0.1, sample_rate, crackle_rate=1, crackle_size=1)
        assert np.isfinite(samples).all()
        assert samples.any()


def test_loudness_stays_in_reach_and_there_is_no_constant() -> None:
    middle = [np.abs(render(fire(), seed)).max() for seed in range(10)]
    loudest = [render(fire(), seed, 1.0, RATE, **dict.fromkeys(NAMES, 1.0)) for seed in range(10)]

    assert 0.05 < np.median(middle) < 0.9
    assert max(np.abs(samples).max() for samples in loudest) < 4
    assert all(abs(samples.mean()) < 0.01 * samples.std() for samples in loudest)


def test_the_same_state_of_chance_gives_the_same_samples_and_another_does_not() -> None:
    np.testing.assert_array_equal(render(fire(), 1), render(fire(), 1))
    assert not np.array_equal(render(fire(), 1), render(fire(), 2))

"""The liquid engine is the thesis's, and turns the way its sliders say."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from synthetic_datasets.engines import _bubbles
from synthetic_datasets.engines.liquid import Liquid

RATE = 44100
NAMES = [control.name for control in Liquid.available]
MIDDLE = {"avgRate": 0.5, "minRadius": 0.3, "maxRadius": 0.6, "expRadius": 0.5}


def liquid(**parameters: Any) -> Liquid:
    return Liquid(controls=dict.fromkeys(NAMES, 0.5), **parameters)


def render(seed: int = 0, seconds: float = 1.0, **controls: float) -> np.ndarray:
    return liquid().render(MIDDLE | controls, seconds, RATE, np.random.default_rng(seed))


def centroid_hz(samples: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float(np.sum(np.fft.rfftfreq(len(samples), 1 / RATE) * power) / np.sum(power))


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, np.ndarray]]:
    """Render, and look at the bubbles on their way to the compiled loop. -> its arrays, what was
    rung, and the output."""
    seen: dict[str, np.ndarray] = {}
    real_ring = _bubbles.ring

    def watched(*arguments: Any) -> np.ndarray:
        seen.update(
            zip(
                ("starts", "amplitude", "damping", "frequency_hz", "sweep_hz"),
                arguments,
                strict=False,
            )
        )
        seen["rung"] = real_ring(*arguments)
        return seen["rung"]

    def look(engine: Liquid, **controls: float) -> dict[str, np.ndarray]:
        seen["output"] = engine.render(MIDDLE | controls, 1.0, RATE, np.random.default_rng(0))
        return seen

    monkeypatch.setattr(_bubbles, "ring", watched)
    return look


def test_the_sliders_are_the_thesis_patchs_from_0_to_100() -> None:
    x = np.linspace(0, 100, 101)
    thesis = {
        "avgRate": 100000 * 1.12 ** (x - 100),
        "minRadius": 0.15 + 149.85 * 1.06 ** (x - 100),
        "maxRadius": 0.15 + 149.85 * 1.06 ** (x - 100),
        "expRadius": 10 * 1.04 ** (x - 100),
    }

    assert list(thesis) == NAMES
    for control in Liquid.available:
        np.testing.assert_allclose(control.to_physical(x / 100), thesis[control.name], rtol=1e-12)


@pytest.mark.parametrize("slider", [0.4, 0.6, 0.75])
def test_as_many_bubbles_start_as_the_rate_says(
    rung: Callable[..., dict[str, np.ndarray]], slider: float
) -> None:
    per_second = 100000 * 1.12 ** (100 * slider - 100)

    starts = rung(liquid(), avgRate=slider)["starts"]

    # Independent starts: the count's standard deviation is at most the root of its mean.
    assert (starts >= 0).sum() == pytest.approx(per_second, abs=5 * per_second**0.5)


def test_the_bubbles_of_a_clip_are_known_without_rendering_it(
    rung: Callable[..., dict[str, np.ndarray]],
) -> None:
    starts, radius = liquid().bubbles(MIDDLE, 1.0, RATE, np.random.default_rng(0))

    rendered = rung(liquid())
    np.testing.assert_array_equal(rendered["starts"], starts)
    np.testing.assert_allclose(rendered["frequency_hz"], 3 / radius)


def test_a_clip_starts_in_the_middle_of_the_stream() -> None:
    controls = {"avgRate": 0.6, "minRadius": 0.3, "maxRadius": 0.6, "expRadius": 0.5}

    clips = [
        liquid().render(controls, 0.2, RATE, np.random.default_rng(seed)) for seed in range(60)
    ]

    # The first 20 ms are as loud as any other, within what 60 clips leave to chance. Begun from
    # nothing they are 6.5 dB softer.
    levels_db = 10 * np.log10((np.stack(clips).reshape(60, 10, -1) ** 2).mean(axis=(0, 2)))
    assert levels_db[0] == pytest.approx(levels_db[1:].mean(), abs=2)


def test_each_bubble_obeys_the_thesis_formulas(rung: Callable[..., dict[str, np.ndarray]]) -> None:
    # 0.4 and 0.7 on the sliders are 4.69 and 26.2 mm; 2,800 bubbles fill the ranges up to a few percent.
    bubbles = rung(
        liquid(rise_cutoff=0.25), avgRate=0.685, minRadius=0.4, maxRadius=0.7, expRadius=0.4
    )
    radius = 3 / bubbles["frequency_hz"]
    depth = bubbles["amplitude"] / (17.2133 * radius**1.5)
    low, high = (0.00015 + 0.14985 * 1.06 ** (100 * slider - 100) for slider in (0.4, 0.7))

    assert low <= radius.min() < 1.01 * low
    assert 0.95 * high < radius.max() <= high
    # Half of the bubbles are smaller than what u = 1/2 gives.
    median = low + (high - low) * 0.5 ** (10 * 1.04 ** (40 - 100))
    assert np.mean(radius < median) == pytest.approx(0.5, abs=5 * 0.5 / 2800**0.5)
    assert 0.2114 - 1e-9 <= depth.min() < 0.2115
    assert 0.58 < depth.max() <= 0.5935 + 1e-9
    assert np.mean(depth < 0.2114 + (0.5935 - 0.2114) * 0.5**2.41) == pytest.approx(
        0.5, abs=5 * 0.5 / 2800**0.5
    )
    np.testing.assert_allclose(bubbles["damping"], 0.13 / radius + 0.0072 * radius**-1.5)
    rises = bubbles["frequency_hz"] * bubbles["damping"] * 0.0678
    np.testing.assert_allclose(bubbles["sweep_hz"], np.where(depth > 0.25, rises, 0))
    assert 0.1 < np.mean(bubbles["sweep_hz"] == 0) < 0.9  # the cutoff divides them


def test_with_the_thesis_cutoff_every_bubble_rises(
    rung: Callable[..., dict[str, np.ndarray]],
) -> None:
    assert (rung(liquid())["sweep_hz"] > 0).all()


def test_the_level_is_set_against_the_largest_bubble(
    rung: Callable[..., dict[str, np.ndarray]],
) -> None:
    seen = rung(liquid(), maxRadius=0.7)

    np.testing.assert_allclose(
        seen["output"], seen["rung"] * 0.15 / (0.00015 + 0.14985 * 1.06**-30), rtol=1e-6
    )


def test_a_higher_rate_is_more_sound() -> None:
    # From 0.45 to 0.65 the rate rises by 1.12^20 = 9.6, and so does the power of independent
    # bubbles; a factor of 3 of leeway for voices that are taken early.
    powers = [
        np.mean(render(avgRate=slider, minRadius=0.4, maxRadius=0.5) ** 2)
        for slider in (0.45, 0.65)
    ]

    assert 9.6 / 3 < powers[1] / powers[0] < 9.6 * 3


def test_a_higher_rate_leaves_fewer_gaps() -> None:
    def share_of_gaps(samples: np.ndarray) -> float:
        # Of 10 ms.
        frames = np.sqrt(np.mean(samples[: RATE // 441 * 441].reshape(-1, 441) ** 2, axis=1))
        return float(np.mean(frames < 0.1 * frames.max()))

    gaps = [
        share_of_gaps(render(avgRate=slider, minRadius=0.2, maxRadius=0.4))
        for slider in (0.2, 0.3, 0.5)
    ]

    assert gaps[0] > gaps[1] > gaps[2]


@pytest.mark.parametrize("slider", [0.2, 0.4, 0.6])
def test_bubbles_of_one_size_ring_at_3_hz_metres_over_their_radius(slider: float) -> None:
    radius = 0.00015 + 0.14985 * 1.06 ** (100 * slider - 100)

    # Power dies by exp(-2 d t), so half a time 1/d of rising counts: 0.0678 / 2 above the start. 2
    # %: the fade at the start.
    assert centroid_hz(render(minRadius=slider, maxRadius=slider)) == pytest.approx(
        3 / radius * (1 + 0.0678 / 2), rel=0.02
    )


def test_larger_bubbles_sound_lower() -> None:
    # Only maxRadius shows it alone: large bubbles carry the power, and louder small ones would
    # raise the mean.
    centroids = [centroid_hz(render(maxRadius=slider)) for slider in (0.5, 0.65, 0.8)]

    assert centroids[0] > 1.5 * centroids[1] > 1.5**2 * centroids[2]


def test_rarer_large_bubbles_sound_higher() -> None:
    assert centroid_hz(render(expRadius=0.8)) > centroid_hz(render(expRadius=0.2))


def rolloff_hz(samples: np.ndarray, share: float) -> float:
    """Return the frequency below which that share of the power lies."""
    power = np.cumsum(np.abs(np.fft.rfft(samples)) ** 2)
    return float(np.fft.rfftfreq(len(samples), 1 / RATE)[np.searchsorted(power, share * power[-1])])


def level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


@pytest.mark.parametrize(
    ("name", "descriptor", "sign", "held"),
    [
        # Bubbles are independent, so that their powers add.
        ("avgRate", level, 1, {}),
        # How high the sound reaches is the smallest bubble's pitch, where most bubbles are small
        # and no large one covers them.
        (
            "minRadius",
            lambda samples: rolloff_hz(samples, 0.999),
            -1,
            {"maxRadius": 0.5, "expRadius": 0.8},
        ),
        # The largest carry most of the power, at their low pitch.
        ("maxRadius", centroid_hz, -1, {}),
        # Fewer of them leave more to the high ones.
        ("expRadius", lambda samples: rolloff_hz(samples, 0.99), 1, {}),
    ],
)
def test_each_slider_is_heard_in_what_its_name_says(
    name: str, descriptor: Callable[[np.ndarray], float], sign: int, held: dict[str, float]
) -> None:
    low, high = {
        "avgRate": (0.2, 0.75),
        "minRadius": (0.1, 0.5),
        "maxRadius": (0.5, 0.8),
        "expRadius": (0.2, 0.8),
    }[name]
    sliders = np.linspace(low, high, 24)

    heard = [
        descriptor(render(seed, **{**held, name: slider})) for seed, slider in enumerate(sliders)
    ]

    assert sign * spearmanr(sliders, heard).statistic >= 0.8


corners = st.fixed_dictionaries(
    {name: st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1)) for name in NAMES}
)


@given(controls=corners, seed=st.integers(0, 2**32), sample_rate=st.sampled_from([8000, 44100]))
@settings(max_examples=40)
def test_at_any_corner_of_the_sliders_there_are_only_numbers(
    controls: dict[str, float], seed: int, sample_rate: int
) -> None:
    samples = liquid().render(controls, 0.03, sample_rate, np.random.default_rng(seed))

    assert samples.dtype == np.float32
    assert samples.shape == (round(0.03 * sample_rate),)
    assert np.isfinite(samples).all()


@pytest.mark.parametrize(
    "parameters",
    [
        {"min_depth": 0, "max_depth": 0},
        {"min_depth": 0, "max_depth": 1, "depth_exponent": 100},
        {"rise_cutoff": 1},
        {"rise_cutoff": 0, "rise_factor": 10},
        {"rise_factor": 0},
        {"n_voices": 1},
    ],
)
def test_with_any_held_parameters_there_are_only_numbers(parameters: dict[str, float]) -> None:
    samples = liquid(**parameters).render(MIDDLE, 0.1, 8000, np.random.default_rng(0))

    assert np.isfinite(samples).all()
    assert samples.any() == (parameters.get("max_depth") != 0)  # at no depth there is no sound


def test_a_clip_in_which_no_bubble_starts_is_silence() -> None:
    # 1.2 bubbles a second, for 10 ms.
    np.testing.assert_array_equal(render(avgRate=0, seconds=0.01), np.zeros(441, np.float32))


def test_the_same_state_of_chance_gives_the_same_samples_and_another_does_not() -> None:
    np.testing.assert_array_equal(render(seed=1, seconds=0.1), render(seed=1, seconds=0.1))
    assert not np.array_equal(render(seed=1, seconds=0.1), render(seed=2, seconds=0.1))

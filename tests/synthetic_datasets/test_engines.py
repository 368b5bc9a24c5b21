"""What every engine that is computed here has in common."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic_datasets.config import SyntheticConfig
from synthetic_datasets.engines import EmbeddedEngine, engines
from synthetic_datasets.generate import render_clip
from synthetic_datasets.level import UNITY

MODELS = [model for model in engines.models if issubclass(model, EmbeddedEngine)]
SAMPLE_RATES = [8000, 22050, 44100, 48000, 96000, 192000]

of_every_engine = pytest.mark.parametrize(
    "model", MODELS, ids=lambda model: model.model_fields["type"].default
)


def middle(model: type[EmbeddedEngine]) -> dict[str, float]:
    return {control.name: 0.5 for control in model.available}


def render(
    model: type[EmbeddedEngine], seed: int, seconds: float, sample_rate: int, **controls: float
) -> np.ndarray:
    engine = model(controls=dict.fromkeys(middle(model), 0.5))
    return engine.render(
        middle(model) | controls, seconds, sample_rate, np.random.default_rng(seed)
    )


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-30))


@of_every_engine
def test_every_control_says_what_it_is_and_in_which_unit(model: type[EmbeddedEngine]) -> None:
    for control in model.available:
        assert control.unit, control.name
        assert control.description, control.name
        assert control.low < control.high


@of_every_engine
@given(chance=st.data(), seed=st.integers(0, 2**32), sample_rate=st.sampled_from(SAMPLE_RATES))
@settings(max_examples=25)
def test_at_any_setting_and_sample_rate_a_clip_is_sound(
    model: type[EmbeddedEngine], chance: st.DataObject, seed: int, sample_rate: int
) -> None:
    slider = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))
    controls = {
        control.name: chance.draw(slider, label=control.name) for control in model.available
    }

    samples = render(model, seed, 1.0, sample_rate, **controls)

    assert samples.dtype == np.float32
    assert samples.shape == (sample_rate,)
    assert np.isfinite(samples).all()
    # -96 dBFS is where generate takes a clip for silent. The thesis's liquid goes down to one bubble a second, so it may be.
    assert level_db(samples) > -96 or model.model_fields["type"].default == "liquid"


@of_every_engine
@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
@pytest.mark.parametrize("seconds", [0.01, 0.1001, 1.5])
def test_a_clip_has_the_length_that_was_asked_for(
    model: type[EmbeddedEngine], seconds: float, sample_rate: int
) -> None:
    assert render(model, 0, seconds, sample_rate).shape == (round(seconds * sample_rate),)


@of_every_engine
def test_the_same_state_of_chance_gives_the_same_samples_and_another_does_not(
    model: type[EmbeddedEngine],
) -> None:
    np.testing.assert_array_equal(render(model, 1, 0.2, 44100), render(model, 1, 0.2, 44100))
    assert not np.array_equal(render(model, 1, 0.2, 44100), render(model, 2, 0.2, 44100))


@of_every_engine
def test_a_clip_starts_in_the_middle_of_the_texture(model: type[EmbeddedEngine]) -> None:
    clips = np.stack([render(model, seed, 0.5, 22000) for seed in range(80)])

    # Decibels before the mean over clips, so that one loud drop or crackle does not decide. Frames
    # of 50 ms: one of them differs by some 4 dB from clip to clip, so a mean of 80 by 0.5 dB; a
    # fade-in over 50 ms would be 5 dB and more.
    frames_db = 10 * np.log10((clips.reshape(80, 10, -1) ** 2).mean(axis=2) + 1e-12).mean(axis=0)
    assert frames_db[0] == pytest.approx(frames_db[1:].mean(), abs=2)


@of_every_engine
def test_the_sample_rate_does_not_change_the_sound(model: type[EmbeddedEngine]) -> None:
    centres = (250, 500, 1000, 2000, 4000)

    def octaves_db(sample_rate: int) -> np.ndarray:
        clips = np.stack([render(model, seed, 0.5, sample_rate) for seed in range(60)])
        power = np.abs(np.fft.rfft(clips) / sample_rate) ** 2
        hz = np.fft.rfftfreq(clips.shape[1], 1 / sample_rate)
        octaves = [
            power[:, (hz >= centre / 2**0.5) & (hz < centre * 2**0.5)].sum(axis=1)
            for centre in centres
        ]
        return 10 * np.log10(octaves).mean(axis=1)

    # Other numbers are drawn at another rate: the means of 60 clips agree within 1 dB or so. What
    # lies above half of the lower rate, were it folded back, would raise the upper octaves. Octaves
    # 30 dB under the loudest are beside the point.
    low, high = octaves_db(24000), octaves_db(48000)
    heard = high > high.max() - 30
    np.testing.assert_allclose(low[heard], high[heard], atol=2)


@of_every_engine
@pytest.mark.parametrize("slider", [0.0, 0.5, 1.0])
def test_on_its_way_into_a_file_a_clip_is_lowered_but_never_clipped(
    model: type[EmbeddedEngine],
    slider: float,
    small: Callable[..., SyntheticConfig],
    tmp_path: Path,
) -> None:
    name = model.model_fields["type"].default
    controls = dict.fromkeys(middle(model), slider)
    held, varied = dict(list(controls.items())[1:]), next(iter(controls))
    config = small(
        engine={"type": name, "controls": {varied: [0.0, 1.0], **held}},
        sample_rate=44100,
        seconds=1.0,
        silence=None,
    )
    row = {"index": 0, "file_name": "clip.wav", "volume": UNITY, varied: slider}

    with config.engine.started(1.0, 44100, None) as engine:
        columns = render_clip(config, tmp_path, engine.render, row)
        wanted = engine.render(controls, UNITY, np.random.default_rng([config.seed, 0]))

    samples, _ = soundfile.read(tmp_path / "audio" / "clip.wav", dtype="float64")
    # lowered_db has two decimals: 0.005 dB is 0.06 %; and half a step of a 16-bit file.
    np.testing.assert_allclose(
        samples, wanted * 10 ** (-columns["lowered_db"] / 20), rtol=6e-4, atol=2**-16
    )
    assert np.abs(samples).max() < 1

"""Labels of recordings are brought to the engine's laws, and say where they cannot know."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from domain_adaptation.labelling import by_the_laws
from domain_adaptation.labelling.by_the_laws import Reference, judge_recording
from domain_adaptation.labelling.density import density
from domain_adaptation.labelling.inference import Labels
from domain_adaptation.training.augment.layers import equally_loud, layered
from domain_adaptation.training.augment.slow_down import slowed

RATE, N_SAMPLES = 16000, 8000
CONTROLS = (
    {
        "name": "pitch",
        "unit": "Hz",
        "low": 400.0,
        "high": 3200.0,
        "curve": "exponential",
        "laws": {"slow_down": -1.0, "mixing": 0.0},
    },
    {
        "name": "rate",
        "unit": "events/s",
        "low": 1.0,
        "high": 1000.0,
        "curve": "exponential",
        "laws": {"slow_down": -1.0, "mixing": 1.0},
    },
)
BY_THE_LAW = -1 / np.log(8)
MODEL = SimpleNamespace(
    spec=SimpleNamespace(controls=CONTROLS, features=SimpleNamespace(sample_rate=RATE))
)
SCALE = SimpleNamespace(spec=MODEL.spec)


def centre(clips):
    """-> the logarithm of the middle of each clip's spectrum, in kHz."""
    power = np.abs(np.fft.rfft(clips)) ** 2
    kilohertz = np.fft.rfftfreq(clips.shape[1], 1 / RATE) / 1000
    return np.log((power * kilohertz).sum(axis=1) / power.sum(axis=1))


def noise(n_clips=12, seed=0, hz=1200):
    rng = np.random.default_rng(seed)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(N_SAMPLES, 1 / RATE), 1) / hz)
    spectrum = np.fft.rfft(rng.standard_normal((n_clips, N_SAMPLES))) * np.exp(
        -((octaves / 0.4) ** 2)
    )
    return np.fft.irfft(spectrum, N_SAMPLES).astype(np.float32)


@pytest.fixture
def hears(monkeypatch):
    """hears(scale, label): what the two networks say of a clip whose spectrum's middle is given.

    A number of layers is heard in neither.
    """

    def set_up(scale, label):
        def read(model, clips):
            middle = centre(clips)
            both = (
                [scale(middle), 0 * middle] if model is SCALE else [label(middle), 0.5 + 0 * middle]
            )
            values = np.stack(both, axis=1).astype(np.float32)
            return Labels(values, np.ones_like(values))

        monkeypatch.setattr(by_the_laws, "read_waveforms", read)

    return set_up


def judged(clips):
    return judge_recording(MODEL, SCALE, Reference(0.0, 0.0), clips)  # type: ignore[arg-type]


def test_labels_of_a_slowed_recording_move_as_the_law_says_whatever_the_extractor_says(hears):
    hears(scale=lambda middle: -0.6 * middle, label=lambda middle: 0.4 - 0.1 * middle)
    clips = noise()
    found = {}
    for speed in (0.8, 1.3):
        played, exact = slowed(torch.from_numpy(clips), speed)
        verdict = judged(played.numpy())
        assert verdict.why_not[0] == ""
        label = (0.4 - 0.1 * centre(played.numpy())).mean() + verdict.shift[0]
        found[np.log(exact)] = label
    (one, label), (other, other_label) = found.items()
    # The extractor's own slope is +0.1, the law's -0.48.
    assert (other_label - label) / (other - one) == pytest.approx(BY_THE_LAW, abs=0.03)


def test_labels_that_keep_to_the_law_are_left_where_they_are(hears):
    hears(scale=lambda middle: -middle, label=lambda middle: 0.4 - BY_THE_LAW * middle)
    assert judged(noise()).shift[0] == pytest.approx(0.0, abs=0.01)


def test_a_recording_whose_speed_is_not_heard_cannot_tell_a_pitch(hears):
    hears(scale=lambda middle: -0.1 * middle, label=lambda middle: 0.4 - 0.1 * middle)
    verdict = judged(noise())
    assert "only 10% is heard" in verdict.why_not[0]
    assert verdict.shift[0] == 0
    assert verdict.half_width[0] >= 0.45  # nine tenths of the whole slider


def test_a_recording_far_from_the_others_cannot_tell(hears):
    hears(scale=lambda middle: -middle + 3.0, label=lambda middle: 0.4 - 0.1 * middle)
    assert "so much larger than most recordings" in judged(noise()).why_not[0]


def test_a_spectrum_that_is_the_same_at_every_speed_says_nothing(hears, monkeypatch):
    hears(scale=lambda middle: -middle, label=lambda middle: 0.4 - 0.1 * middle)
    monkeypatch.setattr(by_the_laws, "spectrum_change_db", lambda *_: 1.2)
    assert "its spectrum changes by only 1.2 dB" in judged(noise()).why_not[0]


def test_a_recording_of_which_more_sounds_the_same_cannot_tell_a_rate(hears):
    hears(scale=lambda middle: -middle, label=lambda middle: 0.4 - 0.1 * middle)
    assert "too dense" in judged(noise()).why_not[1]


def clicks(per_second, n_clips=16, seed=0):
    """-> clicks at random moments, [n_clips, N_SAMPLES], of equal loudness but for their number."""
    rng = np.random.default_rng(seed)
    hits = rng.random((n_clips, N_SAMPLES)) < per_second / RATE
    ring = np.exp(-np.arange(400) / 40) * np.sin(np.arange(400) * 0.7)
    sounds = [np.convolve(clip * rng.uniform(0.5, 1, N_SAMPLES), ring)[:N_SAMPLES] for clip in hits]
    return equally_loud(torch.from_numpy(np.stack(sounds)).float())


def test_density_rises_by_the_logarithm_of_the_number_of_layers():
    one = clicks(20)
    found = {n: density(layered(one, n), RATE) for n in (1, 2, 8)}
    for n, each in found.items():
        # Some 160 events and their loudnesses scatter by a tenth.
        assert each.log_density - found[1].log_density == pytest.approx(np.log(n), abs=0.25)
    assert found[1].stands_out > 5
    assert density(torch.from_numpy(noise()), RATE).stands_out < 1.5


def test_rates_of_layers_move_as_the_law_says_whatever_the_extractor_says(monkeypatch):
    def read(model, sounds):
        # An extractor that hears less of a density than the law says.
        per_clip = np.abs(np.fft.rfft(np.square(sounds)))[:, 1:200].mean(axis=1)
        rate = 0.4 + 0.02 * np.log(1 / per_clip.clip(min=1e-6))
        values = np.stack([centre(sounds), rate], axis=1).astype(np.float32)
        return Labels(-values if model is SCALE else values, np.ones_like(values))

    monkeypatch.setattr(by_the_laws, "read_waveforms", read)
    one, labels = clicks(15), []
    for n_layers in (1, 4):
        sounds = layered(one, n_layers).numpy()
        dense = density(equally_loud(torch.from_numpy(one.numpy())), RATE).log_density
        verdict = judge_recording(MODEL, SCALE, Reference(50.0, dense + np.log(16)), sounds)  # type: ignore[arg-type]
        assert verdict.why_not[1] != "", "no speed brings it to that scale"
        labels.append(
            read(MODEL, equally_loud(torch.from_numpy(sounds)).numpy()).labels[:, 1].mean()
        )
        labels[-1] += verdict.shift[1]
    # The law: a thousandfold rate is the whole slider.
    assert (labels[1] - labels[0]) / np.log(4) == pytest.approx(1 / np.log(1000), rel=0.3)

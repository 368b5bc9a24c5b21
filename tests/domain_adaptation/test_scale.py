"""Relative scale: what a network learns from two speeds of anything."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from domain_adaptation.cli import app
from domain_adaptation.features.log_bands import LogBands
from domain_adaptation.models.model_folder import load_model
from domain_adaptation.scale.config import ScaleConfig
from domain_adaptation.scale.pairs import PairLoss
from domain_adaptation.scale.recordings import read_excerpts
from domain_adaptation.training.augment.draws import Pitches
from texturelib.audio import write_wav
from texturelib.errors import TextureError

from .conftest import BANDS, SAMPLE_RATE, make_config, make_pitch_set

SECONDS = 0.25
N_SAMPLES = round(SECONDS * SAMPLE_RATE)
# A small network, and a range of speeds that these features allow.
SCALE = {
    "recordings": "anything",
    "seconds": 0.75,
    "held_out": 0.2,
    "network": {"type": "band_cnn", "channels": [8, 16], "n_hidden": 16, "n_heads": 8},
    "epochs": 4,
    "steps_per_epoch": 40,
    "batch_size": 16,
    "slow_down": [0.6, 1.4],
    "most_layers": 4,
}


def pair_loss(**changes):
    settings = ScaleConfig.model_validate(SCALE | {"textures": 0.0} | changes)
    return PairLoss(settings, LogBands.model_validate(BANDS), N_SAMPLES)


def peaks_hz(clips):
    """-> the loudest frequency of each clip."""
    spectrum = torch.fft.rfft(clips * torch.hann_window(clips.shape[1])).abs()
    return spectrum.argmax(dim=1) * SAMPLE_RATE / clips.shape[1]


def test_a_pair_is_two_moments_whose_speeds_differ_by_what_is_wanted():
    seconds = torch.arange(3 * N_SAMPLES) / SAMPLE_RATE
    tones = torch.stack([torch.sin(2 * torch.pi * hz * seconds) for hz in (900.0, 1400.0, 2000.0)])
    torch.manual_seed(1)
    clips, wanted, is_heard = pair_loss(most_layers=2).pairs(tones.repeat(4, 1))
    first, second = peaks_hz(clips).chunk(2)
    # Slower is lower; half a bin of 4 Hz is under 0.005 of the lowest tone.
    assert torch.allclose((second / first).log(), wanted[:, 0], atol=0.01)
    assert wanted[:, 0].abs().max() > 0.2
    assert is_heard.all()


def test_more_layers_are_more_events():
    torch.manual_seed(0)
    clicks = (torch.rand(8, 40 * N_SAMPLES) < 4 / N_SAMPLES).float()
    loss = pair_loss(most_layers=4)
    pitches = Pitches(clicks[:, :N_SAMPLES], SAMPLE_RATE)
    flat = torch.zeros(8, len(pitches.octaves))  # no microphone
    counts = [
        loss._moments(clicks, 1.0, n_layers, pitches, flat)[0].sum().item() for n_layers in (1, 4)
    ]
    # Some 32 and 128 clicks, which scatter by their roots.
    assert 2.5 < counts[1] / counts[0] < 6.5


def test_a_pair_with_a_silent_moment_does_not_count():
    loss = pair_loss()
    _, _, is_heard = loss.pairs(torch.zeros(4, 2 * N_SAMPLES))
    assert not is_heard.any()


def test_short_recordings_are_repeated_and_silence_at_their_ends_is_cut(tmp_path):
    rng = np.random.default_rng(0)
    burst = rng.standard_normal(1000) * 0.1
    write_wav(tmp_path / "in/short.wav", np.concatenate([np.zeros(4000), burst]), SAMPLE_RATE)
    write_wav(tmp_path / "in/empty.wav", np.zeros(4000), SAMPLE_RATE)
    found = read_excerpts("scale.recordings", tmp_path / "in", 0.5, SAMPLE_RATE, 10)
    assert found.names == ["short.wav"]
    assert found.samples.shape == (1, 8000)
    assert np.abs(found.samples[0, -1000:]).max() > 3000  # the burst again
    assert found.rejected == {"empty.wav": "is silent"}


def test_a_folder_without_sounds_is_named(tmp_path):
    with pytest.raises(TextureError, match=r"scale\.recordings: .*should be a folder"):
        read_excerpts("scale.recordings", tmp_path, 1.0, SAMPLE_RATE, 10)


@pytest.mark.slow
def test_scale_learnt_from_noises_is_heard_in_noises_that_were_held_out(tmp_path, run_command):
    make_pitch_set(tmp_path / "synthetic", 20, is_real=False)
    rng = np.random.default_rng(3)
    frequency_hz = np.fft.rfftfreq(SAMPLE_RATE, 1 / SAMPLE_RATE)
    for index in range(40):
        centre, width = rng.uniform(500, 3000), rng.uniform(0.2, 0.6)
        octaves = np.log2(np.maximum(frequency_hz, 1.0) / centre)
        spectrum = np.fft.rfft(rng.standard_normal(SAMPLE_RATE)) * np.exp(-((octaves / width) ** 2))
        noise = np.fft.irfft(spectrum)
        write_wav(
            tmp_path / f"anything/{index}.wav", 0.5 * noise / np.abs(noise).max(), SAMPLE_RATE
        )
    make_config(tmp_path, features=BANDS, scale=SCALE)
    done = run_command(app, "train-scale", tmp_path / "adaptation.json")
    assert done.status == 0, done.err
    assert "of a change of speed, it hears" in done.out
    model = load_model(tmp_path / "models/scale")
    assert model.spec.names == ["scale"]
    metrics = json.loads((tmp_path / "models/scale/metrics.json").read_text())
    # Nothing learnt is 0, the law is 1.
    assert metrics["held_out_slopes"]["median"] > 0.5
    assert metrics["n_recordings"] == {"train": 32, "held_out": 8}


@pytest.mark.slow
def test_label_says_of_each_recording_what_it_can_tell(tmp_path, run_command):
    make_pitch_set(tmp_path / "synthetic", 60, is_real=False)
    real, _ = make_pitch_set(tmp_path / "real", 20, is_real=True)
    little = {"epochs": 1, "steps_per_epoch": 4, "textures": 0.5}
    make_config(
        tmp_path,
        features=BANDS,
        network=SCALE["network"],
        adaptation={"type": "adabn"},
        extractor={"epochs": 1, "batch_size": 16},
        scale=SCALE | little | {"recordings": str(real / "audio"), "seconds": 0.25},
    )
    for command in ("train-extractor", "train-scale", "adapt", "label"):
        done = run_command(app, command, tmp_path / "adaptation.json")
        assert done.status == 0, done.err
    metrics = json.loads((tmp_path / "models/adapted/metrics.json").read_text())
    assert metrics["why"].startswith("one recording is too few to learn from")
    assert not metrics["is_kept"]
    labels = tmp_path / "models/labels"
    told = pd.read_csv(labels / "recordings.csv")
    assert told[["source", "control"]].to_numpy().tolist() == [["wind.mp3", "pitch"]]
    # A network that has learnt nothing hears nothing of the speed.
    assert not told["is_told"][0]
    assert "is heard in it" in told["why_not"][0]
    table = pd.read_csv(labels / "labels.csv")
    assert not table["pitch_is_told"].any()
    assert (table["pitch_interval"] >= 0.45).all()  # nine tenths of the slider
    # Taken from elsewhere, it is not trained again.
    make_config(tmp_path, features=BANDS, network=SCALE["network"], scale_model="models/scale")
    done = run_command(app, "train-scale", tmp_path / "adaptation.json")
    assert done.status == 2
    assert "scale: is missing" in done.err

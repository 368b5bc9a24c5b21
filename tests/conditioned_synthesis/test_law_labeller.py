"""`evaluate` and `linearise` of an instrument whose controls are read by their laws, without a
network."""

import json

import numpy as np
import pandas as pd
import pytest

from conditioned_synthesis.data.clips import read_sounds
from conditioned_synthesis.evaluation.law_labeller import comparable_below_hz, law_labeller
from conditioned_synthesis.instrument.instrument import load_instrument
from conditioned_synthesis.synthesisers.mtcrnn.network import ConditionalGru
from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn
from texturelib.audio import write_wav
from texturelib.controls import Control
from texturelib.dataset import write_dataset

RATE, SECONDS, N_CLIPS = 16000, 0.5, 60
SIZE = Control("size", 0.5, 2.0, "x", "exponential", laws={"slow_down": 1, "mixing": 0, "gain": 0})
LEVEL = Control("level", -20.0, 0.0, "dB", laws={"slow_down": 0, "mixing": 0, "gain": 1})
WETNESS = Control("wetness", 0.0, 1.0, "share")
CONTROLS = (SIZE, LEVEL, WETNESS)


def sound(n_samples, size, level, rng):
    """Noise with a hump at 1 kHz over the size, so loud."""
    spectrum = np.fft.rfft(rng.normal(size=n_samples))
    hz = np.maximum(np.fft.rfftfreq(n_samples, 1 / RATE), 1.0)
    octaves = np.log2(hz * float(SIZE.to_physical(size)) / 1000)
    samples = np.fft.irfft(spectrum * 10 ** np.exp(-(octaves**2)), n_samples)  # of 20 dB
    return 0.1 * samples / samples.std() * 10 ** (float(LEVEL.to_physical(level)) / 20)


class Lawful(ConditionalGru):
    """Whatever its weights are, it plays noise by the laws; but its size is bent, and it is 6 dB
    louder at the lower end of its level."""

    def player(self, seed, **_):
        self._rng = np.random.default_rng(seed)
        return self

    def play(self, controls):
        size, level, _ = controls.mean(axis=0).astype(float)
        too_loud = 10 ** (6 * (level < 0.1) / 20)
        return (too_loud * sound(len(controls), size**2, level, self._rng)).astype(np.float32)


@pytest.fixture
def untrained(tmp_path, monkeypatch):
    """Return a config of such an instrument, without a labeller."""
    monkeypatch.setattr(
        Mtcrnn, "network", lambda settings, n, *_: Lawful(n, RATE, settings.hidden_size)
    )
    monkeypatch.setattr(
        "conditioned_synthesis.training.command.as_loud_as", lambda *words: words[-1]
    )
    rng = np.random.default_rng(0)
    values = np.random.default_rng(1).uniform(0, 1, (N_CLIPS, 3))
    names = [f"audio/{index}.wav" for index in range(N_CLIPS)]
    for name, (size, level, _) in zip(names, values, strict=True):
        write_wav(tmp_path / "sounds" / name, sound(round(RATE * SECONDS), size, level, rng), RATE)
    metadata = pd.DataFrame({"file_name": names}).assign(
        **{each.name: column for each, column in zip(CONTROLS, values.T, strict=True)}
    )
    metadata["split"] = ["validation" if index % 4 == 0 else "train" for index in range(N_CLIPS)]
    write_dataset(
        tmp_path / "sounds",
        metadata,
        sample_rate=RATE,
        seconds=SECONDS,
        controls=[each.describe() for each in CONTROLS],
        comparable_below_hz=7000.0,
    )
    content = {
        "output": "out",
        "labelled": "sounds",
        "synthesiser": {
            "type": "mtcrnn", "hidden_size": 8, "seq_len": 50, "windows_carried": 2, "batch_size": 4, "num_steps": 2,
            "checkpoint": 2,
        },
        "train": {"sounds": "sounds"},
        "evaluate": {"values": 5, "seeds": 2, "seconds": 1.0, "clips": 8},
    }  # fmt: skip
    path = tmp_path / "synthesis.json"
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def lawful(untrained, command, made_once, tmp_path):
    """Return the same, trained."""
    made_once(tmp_path / "out", "lawful", lambda: command("train", untrained))
    return untrained


def test_evaluate_reads_by_the_laws_where_no_labeller_is_named(lawful, command, tmp_path):
    status, printed, errors = command("evaluate", lawful, "--workers", "1")
    assert (status, errors) == (0, "")
    assert "with the law" in printed
    assert "the law does not read wetness" in printed
    table = pd.read_csv(tmp_path / "out" / "evaluation" / "evaluation.csv")
    table = table.set_index(["synthesiser", "control"])
    size, level = (table.loc[("synthesiser", each)] for each in ("size", "level"))
    # Its size is bent: 0, 1/16, 1/4, 9/16 and 1 are heard at 0, 1/4 .. 1, in the mean 1/8 off.
    assert size["rho"] == pytest.approx(1, abs=0.03)
    assert size["error"] == pytest.approx(0.125, abs=0.03)
    assert size["leakage"] < 0.05
    assert size["law_rho"] == size["rho"]
    assert level["rho"] > 0.8, "up to the 6 dB it rises from one end to the other"
    assert level["level_off_db"] == pytest.approx(6, abs=1.5)
    clips = table.loc["held-out clips"]["held_out_error"]
    assert clips["size"] < 0.05
    assert clips["level"] < 0.05
    assert table.loc[("synthesiser", "wetness")][["rho", "error", "law_rho"]].isna().all()
    html = (tmp_path / "out" / "evaluation" / "index.html").read_text()
    assert "by their laws" in html
    assert "size: followed" in html
    assert json.loads((tmp_path / "out" / "evaluation" / "evaluation.json").read_text())[
        "read_by"
    ] == ["the law"]


def test_beside_a_labeller_the_laws_have_columns_of_their_own(lawful, command, tmp_path, listen):
    (tmp_path / "labeller").mkdir()
    (tmp_path / "labeller" / "model.safetensors").write_bytes(b"not read in these tests")
    listen((Control("rate", 0.0, 1.0, "x"), Control("size", 0.5, 2.0, "x", "exponential")))
    status, _, errors = command(
        "evaluate", lawful, "--workers", "1", "--set", f"labeller={tmp_path / 'labeller'}"
    )
    assert (status, errors) == (0, "")
    table = pd.read_csv(tmp_path / "out" / "evaluation" / "evaluation.csv")
    size = table.set_index(["synthesiser", "control"]).loc[("synthesiser", "size")]
    assert size["law_rho"] == pytest.approx(1, abs=0.03)
    assert not size["rho"] > 0.9, "this labeller reads something else"
    text = (tmp_path / "out" / "evaluation" / "evaluation.md").read_text()
    assert "by the law: rho" in text
    assert "; by the law +" in (tmp_path / "out" / "evaluation" / "index.html").read_text()


def test_linearise_straightens_by_the_laws(lawful, command, tmp_path):
    words = ["--set", 'linearise={"values": 7, "seeds": 2, "seconds": 1.0}', "--workers", "1"]
    status, _, errors = command("linearise", lawful, *words)
    assert (status, errors) == (0, "")
    size, _, wetness = load_instrument(tmp_path / "out" / "instrument").spec.sliders
    places = np.array([0.25, 0.5, 0.75])
    assert size.to_network(places) ** 2 == pytest.approx(places, abs=0.06)
    assert wetness.curve is None


def test_it_is_calibrated_on_the_clips_that_it_is_given(untrained, tmp_path):
    sounds = read_sounds(tmp_path / "sounds", None)
    labeller, notes = law_labeller(sounds, np.arange(40), comparable_below_hz(tmp_path / "sounds"))
    assert [control.name for control in labeller.controls] == ["size", "level"]
    assert notes == []
    assert labeller.seconds == SECONDS
    read = labeller.read_as(sounds.controls, tmp_path / "sounds")
    others = [f"audio/{index}.wav" for index in range(40, N_CLIPS)]
    values = sounds.means(np.arange(40, N_CLIPS))
    assert np.abs(read.loc[others, "size"] - values[:, 0]).mean() < 0.03
    assert np.abs(read.loc[others, "level"] - values[:, 1]).mean() < 0.03


def test_the_band_that_clips_have_in_common_is_that_of_their_dataset(untrained, tmp_path):
    assert comparable_below_hz(tmp_path / "sounds") == 7000
    assert comparable_below_hz(tmp_path) is None


def test_too_few_clips_or_too_short_ones_are_read_by_no_law(untrained, tmp_path):
    sounds = read_sounds(tmp_path / "sounds", None)
    labeller, _ = law_labeller(sounds, np.arange(5))
    assert labeller.controls == ()
    assert labeller.read_as(sounds.controls, tmp_path / "sounds").empty

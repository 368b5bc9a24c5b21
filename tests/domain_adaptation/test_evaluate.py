"""Methods compared on recordings that they did not hear."""

import shutil

import numpy as np
import pandas as pd
import pytest

from domain_adaptation.cli import app
from domain_adaptation.evaluation import command as stage
from domain_adaptation.evaluation import slow_down_test as slow_downs
from texturelib.audio import read_mono, write_wav

from .conftest import BANDS, SAMPLE_RATE, make_config, make_pitch_set


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Return a folder with a synthetic and a real set, and three recordings of noise around a
    pitch."""
    folder = tmp_path_factory.mktemp("sounds")
    make_pitch_set(folder / "synthetic", 60, is_real=False)
    real, _ = make_pitch_set(folder / "real", 30, is_real=True)
    for number, name in enumerate(["river", "river-2", "rain"]):
        clips = [
            read_mono(real / f"audio/{index}.wav", SAMPLE_RATE)
            for index in range(number * 10, number * 10 + 10)
        ]
        write_wav(folder / "recordings" / f"{name}.wav", np.concatenate(clips), SAMPLE_RATE)
    return folder


def evaluate_in(folder, sounds, run_command, **evaluation: object):
    for name in ("synthetic", "real", "recordings"):
        shutil.copytree(sounds / name, folder / name)
    law = {
        "type": "scaling_law",
        "epochs": 1,
        "steps_per_epoch": 2,
        "batch_size": 8,
        "synthetic_batch_size": 8,
    }
    make_config(
        folder,
        features=BANDS,
        network={"type": "band_cnn", "channels": [8, 8], "n_hidden": 8},
        extractor={"epochs": 2, "batch_size": 16, "learning_rate": 0.003},
        split={"train": 0.6, "validation": 0.2, "test": 0.2},
        evaluation={
            "methods": [{"type": "none"}, law],
            "seeds": [1],
            "recordings": "recordings",
            **evaluation,
        },
    )
    return run_command(app, "evaluate", folder / "adaptation.json")


def heard(monkeypatch) -> list[set[str]]:
    """Return which recordings each adaptation learns from, as they begin."""
    found: list[set[str]] = []
    adapt_model = stage.adapt_model

    def watched(config, method, model, classifier, synthetic, real, *rest):
        found.append(set(real.sources))
        return adapt_model(config, method, model, classifier, synthetic, real, *rest)

    monkeypatch.setattr(stage, "adapt_model", watched)
    return found


def test_each_recording_is_held_out_in_its_turn_with_all_of_its_place(
    tmp_path, sounds, run_command, monkeypatch
):
    learnt_from = heard(monkeypatch)
    done = evaluate_in(tmp_path, sounds, run_command, held_out=["river", "rain"])
    assert done.status == 0, done.err
    table = pd.read_csv(tmp_path / "models/evaluation/results.csv")
    names = ["rain.wav", "river-2.wav", "river.wav"]
    assert sorted(zip(table["recording"], table["method"], strict=True)) == [
        (name, method) for name in names for method in ("none", "scaling_law")
    ]
    assert np.isfinite(table["slope_pitch"]).all()
    change = table.groupby("recording")["change_db"]
    assert (change.nunique() == 1).all()  # of the sound, whatever the method
    assert (change.mean() > 1).all()  # they have a pitch, so they do not sound alike at two speeds
    rain, rivers = {"rain.wav"}, {"river.wav", "river-2.wav"}
    # By name: of rain, then of both rivers.
    assert learnt_from == [rivers, rivers, rain, rain, rain, rain]


def test_all_that_are_held_out_can_be_held_out_of_one_training(
    tmp_path, sounds, run_command, monkeypatch
):
    learnt_from = heard(monkeypatch)
    done = evaluate_in(tmp_path, sounds, run_command, held_out=["river"], held_out_together=True)
    assert done.status == 0, done.err
    table = pd.read_csv(tmp_path / "models/evaluation/results.csv")
    assert sorted(table["recording"]) == ["river-2.wav", "river-2.wav", "river.wav", "river.wav"]
    assert table["slope_pitch"].nunique() == 4
    assert learnt_from == [{"rain.wav"}, {"rain.wav"}]


def test_a_change_of_sound_that_cannot_be_told_is_left_blank(
    tmp_path, sounds, run_command, monkeypatch
):
    # As of clips that are too short for it.
    monkeypatch.setattr(slow_downs, "spectrum_change_db", lambda *_: float("nan"))
    done = evaluate_in(tmp_path, sounds, run_command, held_out=["rain"])
    assert done.status == 0, done.err
    report = (tmp_path / "models/evaluation/report.md").read_text()
    assert "| rain.wav |  | none |" in report
    assert "nan" not in report


def test_holding_out_everything_together_is_refused_before_anything_is_trained(
    tmp_path, sounds, run_command
):
    done = evaluate_in(tmp_path, sounds, run_command, held_out_together=True)
    assert done.status == 2
    assert (
        "evaluation.held_out_together: would leave no recording to learn from; name fewer in held_out"
        in done.err
    )
    assert not (tmp_path / "models/evaluation").exists()


def test_a_recording_that_is_not_there_is_named(tmp_path, sounds, run_command):
    done = evaluate_in(tmp_path, sounds, run_command, held_out=["sea"])
    assert done.status == 2
    assert 'no recording begins with "sea" (there are rain.wav, river-2.wav, river.wav)' in done.err

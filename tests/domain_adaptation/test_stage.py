"""The four commands, one after the other, on sets small enough to train on in seconds."""

import json
import shutil
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from domain_adaptation.cli import app
from domain_adaptation.feature_store import real_features, synthetic_features
from domain_adaptation.model_folder import load_extractor
from texturelib.dataset import read_dataset
from texturelib.errors import TextureError

COMMANDS = ("train-extractor", "train-classifier", "adapt", "label")


@pytest.fixture
def command(run_command):
    """Run a command line. -> exit status, output, errors."""
    return partial(run_command, app)


@pytest.fixture
def trained(sets, config_of, command):
    config_of(sets)
    for name in COMMANDS:
        result = command(name, sets / "adaptation.json")
        assert result.status == 0, result.err
    return sets


def test_each_command_leaves_its_folder_and_does_nothing_the_second_time(trained, command):
    models = trained / "models"
    for folder in ("extractor", "classifier", "adapted"):
        names = {path.name for path in (models / folder).iterdir()}
        assert {
            "model.safetensors",
            "config.json",
            "metrics.json",
            "history.csv",
            "last.ckpt",
            "loss.png",
            "tensorboard",
        } <= names
    written = {path: path.stat().st_mtime_ns for path in models.rglob("*") if path.is_file()}
    for name in COMMANDS:
        assert "done and unchanged" in command(name, trained / "adaptation.json").out
    assert {path: path.stat().st_mtime_ns for path in models.rglob("*") if path.is_file()} == written


def test_labels_are_what_the_adapted_network_says_of_every_real_clip(trained, config_of):
    _, features = real_features(config_of(trained))
    labels = read_dataset(trained / "models" / "labels")
    assert labels.controls == ["brightness"]
    assert list(labels.metadata.columns) == ["file_name", "brightness", "source", "start_seconds"]
    for table, folder in (("metadata.csv", "adapted"), ("labels_before.csv", "extractor")):
        network, controls = load_extractor(trained / "models" / folder)
        with torch.no_grad():
            expected = network(torch.from_numpy(np.array(features)))[:, 0]
        said = pd.read_csv(trained / "models" / "labels" / table)[controls[0]]
        np.testing.assert_allclose(said, expected, atol=2e-6)  # six decimals are written
    assert [labels.path(index).exists() for index in range(len(labels))] == [True] * 40


def test_adaptation_changes_the_encoder_and_leaves_the_head(trained):
    before, _ = load_extractor(trained / "models" / "extractor")
    after, _ = load_extractor(trained / "models" / "adapted")
    assert all(torch.equal(a, b) for a, b in zip(before.head.parameters(), after.head.parameters(), strict=True))
    assert not torch.equal(next(before.encoder.parameters()), next(after.encoder.parameters()))


def test_the_scores_are_those_of_the_test_clips(trained):
    models = trained / "models"
    metrics = json.loads((models / "extractor" / "metrics.json").read_text())
    split = pd.read_csv(models / "extractor" / "splits.csv")
    assert split["split"].value_counts().to_dict() == {"train": 51, "validation": 3, "test": 6}  # 0.85, 0.05, 0.1 of 60
    assert metrics["n_clips"] == {"train": 51, "validation": 3, "test": 6}
    truth = pd.read_csv(trained / "synthetic" / "metadata.csv")["brightness"][split["split"] == "test"]
    assert metrics["scores"]["test"]["brightness"]["mae_of_the_mean"] == pytest.approx((truth - truth.mean()).abs().mean())


def test_the_extractor_learns_what_can_be_heard(sets, config_of, command):
    split = {"train": 0.6, "validation": 0.2, "test": 0.2}
    config_of(sets, extractor={"epochs": 40, "batch_size": 8, "learning_rate": 0.003}, split=split)
    assert command("train-extractor", sets / "adaptation.json").status == 0
    score = json.loads((sets / "models/extractor/metrics.json").read_text())["scores"]["test"]["brightness"]
    assert score["mae"] < 0.5 * score["mae_of_the_mean"]


def test_features_are_computed_once_and_again_only_when_they_must_be(sets, config_of, make_clips):
    path = sets / "models" / "features" / "synthetic" / "features.npy"
    synthetic_features(config_of(sets))
    first = path.stat().st_mtime_ns
    synthetic_features(config_of(sets, extractor={"epochs": 9}))
    assert path.stat().st_mtime_ns == first
    _, features = synthetic_features(config_of(sets, features={"type": "mel", "sample_rate": 16000, "n_mels": 30}))
    assert features.shape[2] == 30
    shutil.rmtree(sets / "synthetic")
    make_clips(sets / "synthetic", 50, is_real=False)
    assert len(synthetic_features(config_of(sets))[1]) == 50


def test_a_waveform_network_goes_the_whole_way(sets, config_of, command):
    config_of(sets, features={"type": "waveform", "sample_rate": 8000}, network={"n_blocks": 5})
    for name in COMMANDS:
        result = command(name, sets / "adaptation.json")
        assert result.status == 0, result.err


def test_changing_one_training_names_it_and_keeps_the_others(trained, config_of, command):
    config_of(trained, classifier={"epochs": 4, "n_layers": 3, "batch_size": 16})
    refused = command("train-classifier", trained / "adaptation.json")
    assert refused.status == 2
    assert "config changed: classifier.epochs 3 -> 4" in refused.err
    assert "done and unchanged" in command("train-extractor", trained / "adaptation.json").out
    assert command("train-classifier", trained / "adaptation.json", "--overwrite").status == 0
    assert "input changed: classifier" in command("adapt", trained / "adaptation.json").err


def test_commands_out_of_order_say_what_is_missing(sets, config_of, command):
    config_of(sets)
    result = command("adapt", sets / "adaptation.json")
    assert result.status == 1
    assert 'models/extractor: no such folder; run "domain-adaptation train-extractor" first' in result.err
    assert not (sets / "models" / "adapted").exists()


def test_sets_that_do_not_match_are_refused(sets, config_of, make_clips):
    shutil.rmtree(sets / "real")
    make_clips(sets / "real", 4, is_real=True, sample_rate=22050)
    with pytest.raises(TextureError, match=r"real: .*real: sample_rate is 22050, but the synthetic set's is 16000"):
        real_features(config_of(sets))


def test_a_set_without_controls_cannot_teach(sets, config_of):
    config = config_of(sets, synthetic="real")
    with pytest.raises(TextureError, match="has no controls"):
        synthetic_features(config)


def test_a_silent_or_missing_clip_is_named(sets, config_of):
    from texturelib.audio import write_wav

    write_wav(sets / "synthetic/audio/7.wav", np.zeros(4000, np.float32), 16000)
    with pytest.raises(TextureError, match=r"audio/7\.wav: is silent"):
        synthetic_features(config_of(sets))
    (sets / "synthetic/audio/7.wav").unlink()
    with pytest.raises(TextureError, match=r"audio/7\.wav: no such file"):
        synthetic_features(config_of(sets))


def test_a_machine_without_what_is_asked_for_says_so_before_anything_is_written(sets, config_of, command, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    config_of(sets, compute={"accelerator": "cuda"})
    result = command("train-extractor", sets / "adaptation.json")
    assert result.status == 2
    assert result.err.startswith('compute: "cuda", "32-true" cannot be had here (')
    assert not (sets / "models" / "extractor").exists()


def test_a_test_part_of_one_clip_has_no_r2_and_its_metrics_are_json(sets, config_of, command, make_clips):
    shutil.rmtree(sets / "synthetic")
    make_clips(sets / "synthetic", 12, is_real=False)
    config_of(sets)
    assert command("train-extractor", sets / "adaptation.json").status == 0
    metrics = json.loads((sets / "models/extractor/metrics.json").read_text(), parse_constant=pytest.fail)
    assert metrics["n_clips"]["test"] == 1
    assert metrics["scores"]["test"]["brightness"]["r2"] is None


def test_too_few_clips_for_a_split_are_refused(sets, config_of, make_clips, command):
    shutil.rmtree(sets / "synthetic")
    make_clips(sets / "synthetic", 5, is_real=False)
    config_of(sets)
    result = command("train-extractor", sets / "adaptation.json")
    assert result.status == 1
    assert "its 5 clips are too few: none is left for split.validation" in result.err
    assert not (sets / "models" / "extractor").exists()


def test_a_file_that_is_no_model_is_refused(trained, config_of):
    path = trained / "models" / "extractor" / "model.safetensors"
    path.write_bytes(b"not a model")
    with pytest.raises(TextureError, match="not a model of this toolkit"):
        load_extractor(path.parent)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"extracter": {}}, 'extracter: no such key (did you mean "extractor"?'),
        ({"split": {"train": 0.9}}, "split: train + validation + test is 1.05; it should be 1"),
        ({"features": {"type": "mell"}}, 'features.type: there is no "mell" (did you mean "mel"?'),
        ({"features": {"type": "mel", "n_mel": 3}}, 'features.n_mel: no such key (did you mean "n_mels"?'),
        ({"seed": -1}, "seed: -1: should be greater than or equal to 0"),
        ({"compute": {"precision": "foo"}}, 'compute.precision: "foo"'),
        ({"adaptation": {"type": "adda_frozen", "epochs": "many"}}, 'adaptation.epochs: "many": should be a valid integer'),
    ],
)
def test_a_wrong_config_is_one_sentence(sets, command, change, sentence):
    content = {"output": "m", "synthetic": "s", "real": "r", "features": {"type": "mel"}, "adaptation": {"type": "adda_frozen"}}
    (sets / "wrong.json").write_text(json.dumps(content | change))
    result = command("train-extractor", sets / "wrong.json")
    assert result.status == 2
    assert sentence in result.err
    assert len(result.err.strip().splitlines()) == 1

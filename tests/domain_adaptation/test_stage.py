"""The commands, one after the other, on sets small enough to train on in seconds."""

import json
import shutil
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from domain_adaptation.cli import app
from domain_adaptation.labelling.inference import read_waveforms, read_waveforms_of
from domain_adaptation.models.model_folder import Model, load_classifier, load_model, save_model
from texturelib.audio import write_wav
from texturelib.dataset import read_dataset
from texturelib.errors import TextureError

from .conftest import BANDS, make_config, make_set, make_stereo

COMMANDS = ("train-extractor", "train-classifier", "adapt", "label")


@pytest.fixture
def command(run_command):
    """Run a command line. -> exit status, output, errors."""
    return partial(run_command, app)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return a folder where all four commands have run; to be looked at only."""
    folder = tmp_path_factory.mktemp("stage")
    make_set(folder / "synthetic", 60, is_real=False)
    make_set(folder / "real", 40, is_real=True)
    make_config(folder)
    for name in COMMANDS:
        app([name, str(folder / "adaptation.json")], standalone_mode=False)
    return folder


@pytest.fixture
def trained(finished, tmp_path):
    """Return a copy of that folder, to be changed."""
    return shutil.copytree(finished, tmp_path / "stage")


def test_each_command_leaves_its_folder_and_does_nothing_the_second_time(trained, command):
    models = trained / "models"
    trainings = {
        "model.safetensors",
        "config.json",
        "metrics.json",
        "history.csv",
        "last.ckpt",
        "loss.png",
        "tensorboard",
    }
    for folder in ("extractor", "classifier", "adapted"):
        assert trainings | {"README.md"} <= {path.name for path in (models / folder).iterdir()}
    written = {path: path.stat().st_mtime_ns for path in models.rglob("*") if path.is_file()}
    for name in COMMANDS:
        assert "done and unchanged" in command(name, trained / "adaptation.json").out
    assert {
        path: path.stat().st_mtime_ns for path in models.rglob("*") if path.is_file()
    } == written


def test_a_dry_run_says_what_would_happen_and_changes_nothing(sets, config_of, command):
    config_of(sets)
    for name, words in zip(
        COMMANDS,
        ("3 epochs", "3 epochs", 'method "adda_frozen"', "labels for every real clip"),
        strict=True,
    ):
        done = command(name, sets / "adaptation.json", "--dry-run")
        assert (done.status, words in done.out) == (0, True), done
    assert not (sets / "models").exists()


# Labels. --------------------------------------------------------------------------------------------------------------


def test_labels_are_what_the_adapted_network_says_of_every_real_clip(finished):
    folder = finished / "models/labels"
    labels = read_dataset(folder)
    assert labels.controls == ["brightness"]
    assert list(labels.metadata.columns) == ["file_name", "brightness", "source", "start_seconds"]
    real = read_dataset(finished / "real")
    assert labels.metadata["file_name"].tolist() == real.metadata["file_name"].tolist()
    for table, name in (("metadata.csv", "adapted"), ("labels_before.csv", "extractor")):
        model = load_model(finished / "models" / name)
        reading = read_waveforms(model, read_waveforms_of(model, real, np.arange(len(real))))
        said = pd.read_csv(folder / table)
        # Six decimals are written.
        np.testing.assert_allclose(said[["brightness"]], reading.labels, atol=2e-6)
    assert [labels.path(index).exists() for index in range(len(labels))] == [True] * 40


def test_a_stereo_set_has_the_labels_of_its_mix_and_keeps_its_channels(trained, command):
    folder = trained / "models/labels"
    mono = (folder / "labels.csv").read_text()
    shutil.rmtree(folder)
    make_stereo(trained / "real")
    done = command("label", trained / "adaptation.json")
    assert done.status == 0, done.err
    assert (folder / "labels.csv").read_text() == mono
    labelled, real = read_dataset(folder), read_dataset(trained / "real")
    assert labelled.n_channels == 2
    np.testing.assert_array_equal(labelled.clip(3), real.clip(3))


def test_labels_in_json_are_those_in_the_table(finished):
    folder = finished / "models/labels"
    table = pd.read_csv(folder / "labels.csv")
    assert list(table.columns) == ["file_name", "brightness"]
    content = json.loads((folder / "labels.json").read_text(), parse_constant=pytest.fail)
    assert content == {row.pop("file_name"): row for row in table.to_dict("records")}
    assert list(pd.read_csv(folder / "labels_before.csv").columns) == ["file_name", "brightness"]


def test_labels_come_with_pictures_and_a_summary(finished):
    folder = finished / "models/labels"
    assert (folder / "distributions.png").stat().st_size > 0
    assert (folder / "by_source.png").stat().st_size > 0
    summary = json.loads((folder / "summary.json").read_text(), parse_constant=pytest.fail)
    after = pd.read_csv(folder / "labels.csv")["brightness"]
    assert summary["n_clips"] == 40
    assert summary["share_of_labels_within_0_1"]["after"] == after.between(0, 1).mean()
    assert summary["controls"]["brightness"]["after"]["mean"] == pytest.approx(
        after.mean(), abs=1e-6
    )


@pytest.mark.parametrize("says", ["nothing", "some"])
def test_a_real_set_that_says_no_source_of_some_or_all_clips_is_labelled_all_the_same(
    trained, command, says
):
    path = trained / "real/metadata.csv"
    table = pd.read_csv(path)[["file_name"]]
    if says == "some":
        table["source"] = ["river.mp3", ""] * 20
    table.to_csv(path, index=False)
    for name in ("train-classifier", "adapt", "label"):
        done = command(name, trained / "adaptation.json", "--overwrite")
        assert done.status == 0, done.err
    assert len(pd.read_csv(trained / "models/labels/labels.csv")) == 40


@pytest.mark.parametrize(
    ("change", "was", "found"), [("sample_rate", "16000", "22050"), ("seconds", "0.25", "0.5")]
)
def test_real_clips_unlike_those_that_the_model_learnt_from_are_refused(
    trained, command, change, was, found
):
    real, path = trained / "real", trained / "real/dataset.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {change: json.loads(found)}))
    rng = np.random.default_rng(0)
    new = json.loads(path.read_text())
    for file in (real / "audio").iterdir():
        write_wav(
            file,
            0.1 * rng.standard_normal(round(new["sample_rate"] * new["seconds"])),
            new["sample_rate"],
        )
    table = pd.read_csv(real / "metadata.csv").assign(note="changed")
    table.to_csv(real / "metadata.csv", index=False)
    for name in ("adapt", "label"):
        done = command(name, trained / "adaptation.json", "--overwrite")
        assert done.status == 1
        assert f"{change} is {found}, but " in done.err
        assert f"is {was}; make them alike" in done.err
        assert len(done.err.strip().splitlines()) == 1


def test_models_that_read_other_controls_are_refused(trained, command):
    folder = trained / "models/extractor"
    model = load_model(folder)
    controls = ({**model.spec.controls[0], "name": "darkness"},)
    save_model(folder, Model(model.extractor, model.spec.model_copy(update={"controls": controls})))
    done = command(
        "label", trained / "adaptation.json", "--overwrite", "--set", "features.n_mels=23"
    )
    assert done.status == 1
    assert "adapted: reads brightness, but " in done.err
    assert "reads darkness; train it anew" in done.err


# What was learnt, and how well. ----------------------------------------------------------------------------------------


def test_adaptation_changes_the_encoder_and_leaves_the_head(finished):
    metrics = json.loads((finished / "models/adapted/metrics.json").read_text())
    before, after = (
        load_model(finished / "models" / name).extractor for name in ("extractor", "adapted")
    )
    assert all(
        torch.equal(a, b)
        for a, b in zip(before.head.parameters(), after.head.parameters(), strict=True)
    )
    is_same = torch.equal(next(before.encoder.parameters()), next(after.encoder.parameters()))
    assert is_same != metrics["is_kept"]


def test_the_scores_are_those_of_the_test_clips(finished):
    models = finished / "models"
    metrics = json.loads((models / "extractor" / "metrics.json").read_text())
    split = pd.read_csv(models / "extractor" / "splits.csv")
    # 0.7, 0.2, 0.1 of 60.
    assert split["split"].value_counts().to_dict() == {"train": 42, "validation": 12, "test": 6}
    assert metrics["n_clips"] == {"train": 42, "validation": 12, "test": 6}
    truth = pd.read_csv(finished / "synthetic" / "metadata.csv")["brightness"][
        split["split"] == "test"
    ]
    assert metrics["scores"]["test"]["brightness"]["mae_of_the_mean"] == pytest.approx(
        (truth - truth.mean()).abs().mean()
    )
    assert metrics["test_mae"] == metrics["scores"]["test"]["brightness"]["mae"]


def test_the_extractor_learns_what_can_be_heard_and_how_sure_it_is(sets, config_of, command):
    split = {"train": 0.5, "validation": 0.25, "test": 0.25}
    config_of(sets, extractor={"epochs": 40, "batch_size": 8, "learning_rate": 0.003}, split=split)
    assert command("train-extractor", sets / "adaptation.json").status == 0
    metrics = json.loads((sets / "models/extractor/metrics.json").read_text())
    score = metrics["scores"]["test"]["brightness"]
    assert score["mae"] < 0.5 * score["mae_of_the_mean"]
    # Fitted to 15 clips and tried on 15: nine of ten come out as 1 to 0.6, by chance.
    assert metrics["intervals"]["brightness"]["coverage"] >= 0.6
    # No wider than a guess would be: nine of ten of a uniform 0.1..0.9 lie within 0.36 of its
    # middle.
    assert metrics["intervals"]["brightness"]["mean_half_width"] < 0.36


def test_a_network_that_has_collapsed_is_named(sets, config_of, command):
    config_of(
        sets,
        network={"type": "cnn", "n_blocks": 2, "first_channels": 4},
        extractor={"epochs": 3, "learning_rate": 1e6},
    )
    done = command("train-extractor", sets / "adaptation.json")
    assert done.status == 1
    assert "the network has collapsed" in done.err or "the loss is no longer a number" in done.err
    assert len(done.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {
            "features": {"type": "waveform", "sample_rate": 8000},
            "network": {"type": "cnn", "n_blocks": 5},
        },
        {"features": BANDS, "network": {"type": "band_cnn", "channels": [16, 16], "n_hidden": 8}},
        {
            "features": {**BANDS, "noise": {}, "randomise": {}},
            "network": {"type": "cnn", "n_blocks": 1},
        },
        {"network": {"type": "ensemble", "members": 2, "of": {"type": "cnn", "n_blocks": 2}}},
        {"adaptation": {"type": "none"}},
        {"adaptation": {"type": "adabn"}},
        {"adaptation": {"type": "deep_coral", "epochs": 1, "batch_size": 16}},
        {"adaptation": {"type": "dare_gram", "epochs": 1, "batch_size": 16}},
        {"adaptation": {"type": "adda", "epochs": 1, "batch_size": 16}},
    ],
    ids=[
        "waveform",
        "bands",
        "randomised bands",
        "ensemble",
        "none",
        "adabn",
        "deep_coral",
        "dare_gram",
        "adda",
    ],
)
def test_every_kind_goes_the_whole_way(sets, config_of, command, changes):
    config_of(
        sets,
        **{
            "extractor": {"epochs": 1, "batch_size": 16},
            "classifier": {"epochs": 1, "n_layers": 2},
            **changes,
        },
    )
    needs_classifier = "adaptation" not in changes
    for name in COMMANDS if needs_classifier else ("train-extractor", "adapt", "label"):
        result = command(name, sets / "adaptation.json")
        assert result.status == 0, result.err
        assert "note:" not in result.err
    assert len(pd.read_csv(sets / "models/labels/labels.csv")) == 40


# Model folders. -------------------------------------------------------------------------------------------------------


def test_every_model_folder_has_a_card_that_says_what_it_reads_and_how_well(finished):
    models = finished / "models"
    metrics = json.loads((models / "extractor/metrics.json").read_text())
    card = (models / "extractor/README.md").read_text()
    assert card.startswith("# Extractor\n")
    assert "Reads brightness from clips of 0.25 s at 16000 Hz." in card
    assert f"{metrics['scores']['test']['brightness']['mae']:.4f}" in card
    assert "truths inside" in card
    adapted = (models / "adapted/README.md").read_text()
    assert "Reads brightness" in adapted
    assert "Method `adda_frozen`, on 28 real clips without labels, seed 42: " in adapted
    accuracy = json.loads((models / "classifier/metrics.json").read_text())["accuracy"]["test"]
    assert (
        f"{accuracy:.1%} of 10 unseen clips rightly told apart"
        in (models / "classifier/README.md").read_text()
    )


def test_a_model_folder_says_all_that_labelling_needs(finished):
    spec = load_model(finished / "models/extractor").spec
    assert spec.names == ["brightness"]
    assert (spec.sample_rate, spec.seconds) == (16000, 0.25)
    assert spec.features.type == "mel"
    assert spec.interval is not None
    # Adapted against a classifier, its encoder no longer reads synthetic clips, by which intervals
    # are known.
    assert load_model(finished / "models/adapted").spec == spec.model_copy(
        update={"interval": None}
    )
    assert not any(
        parameter.requires_grad
        for parameter in load_classifier(finished / "models/classifier").parameters()
    )


# What is changed, missing or wrong. -----------------------------------------------------------------------------------


def test_changing_one_training_names_it_and_keeps_the_others(trained, config_of, command):
    config_of(trained, classifier={"epochs": 4, "n_layers": 3, "batch_size": 16})
    refused = command("train-classifier", trained / "adaptation.json")
    assert refused.status == 2
    assert "config changed: classifier.epochs 3 -> 4" in refused.err
    assert "done and unchanged" in command("train-extractor", trained / "adaptation.json").out
    assert command("train-classifier", trained / "adaptation.json", "--overwrite").status == 0
    assert "input changed: classifier" in command("adapt", trained / "adaptation.json").err


def test_where_to_compute_changes_no_result_that_is_there(trained, config_of, command):
    config_of(trained, compute={"accelerator": "auto"})
    assert "done and unchanged" in command("train-extractor", trained / "adaptation.json").out


def test_commands_out_of_order_say_what_is_missing(sets, config_of, command):
    config_of(sets)
    result = command("adapt", sets / "adaptation.json")
    assert result.status == 1
    assert (
        'models/extractor: no such folder; run "domain-adaptation train-extractor" first'
        in result.err
    )
    assert not (sets / "models" / "adapted").exists()


def test_a_method_without_a_classifier_waits_for_none(sets, config_of, command):
    config_of(sets, adaptation={"type": "none"})
    assert command("train-extractor", sets / "adaptation.json").status == 0
    assert command("adapt", sets / "adaptation.json").status == 0


def test_a_machine_without_what_is_asked_for_says_so_before_anything_is_written(
    sets, config_of, command, monkeypatch
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    config_of(sets, compute={"accelerator": "cuda"})
    result = command("train-extractor", sets / "adaptation.json")
    assert result.status == 2
    assert result.err.startswith('compute: "cuda" in 1, "32-true" cannot be had here (')
    assert not (sets / "models" / "extractor").exists()


def test_a_test_part_of_one_clip_has_no_r2_and_its_metrics_are_json(
    sets, config_of, command, make_clips
):
    shutil.rmtree(sets / "synthetic")
    make_clips(sets / "synthetic", 12, is_real=False)
    config_of(sets, split={"train": 0.8, "validation": 0.1, "test": 0.1})
    assert command("train-extractor", sets / "adaptation.json").status == 0
    metrics = json.loads(
        (sets / "models/extractor/metrics.json").read_text(), parse_constant=pytest.fail
    )
    assert metrics["n_clips"]["test"] == 1
    assert metrics["scores"]["test"]["brightness"]["r2"] is None


def test_too_few_clips_for_a_split_are_refused(sets, config_of, make_clips, command):
    shutil.rmtree(sets / "synthetic")
    make_clips(sets / "synthetic", 5, is_real=False)
    config_of(sets, split={"train": 0.85, "validation": 0.05, "test": 0.1})
    result = command("train-extractor", sets / "adaptation.json")
    assert result.status == 1
    assert "its 5 clips are too few: none is left for split.validation" in result.err
    assert not (sets / "models" / "extractor").exists()


def test_a_network_that_does_not_fit_the_features_is_named_before_anything_is_written(
    sets, config_of, command
):
    config_of(sets, network={"type": "cnn", "n_blocks": 9})
    done = command("train-extractor", sets / "adaptation.json")
    assert done.status == 2
    assert "network.n_blocks: 9 is too many for features of 24 x 21" in done.err
    assert not (sets / "models/extractor").exists()


FOREIGN = {
    "no model": b"not a model",
    "empty": b"",
    "a pickle": None,
    "safetensors without a description": None,
    "a description of something else": None,
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_file_that_is_no_model_of_ours_is_refused_with_a_sentence(trained, command, kind):
    path = trained / "models/extractor/model.safetensors"
    weights = {"a": torch.zeros(3)}
    if kind == "a pickle":
        torch.save({"model_state_dict": weights}, path)
    elif kind == "safetensors without a description":
        save_file(weights, path)
    elif kind == "a description of something else":
        save_file(weights, path, metadata={"about": '{"n_layers": 3}'})
    else:
        path.write_bytes(FOREIGN[kind])
    done = command(
        "label",
        "--model",
        path.parent,
        "--audio",
        trained / "real/audio",
        "--output",
        trained / "labels.csv",
    )
    assert done.status == 1
    assert "extractor/model.safetensors: not a model of this toolkit that fits here (" in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not (trained / "labels.csv").exists()


def test_weights_that_do_not_fit_their_description_are_refused(trained):
    path = trained / "models/extractor/model.safetensors"
    with safe_open(path, framework="pt") as file:
        spec = file.metadata()
    save_file({"a": torch.zeros(3)}, path, metadata=spec)
    with pytest.raises(TextureError, match=r"its weights do not fit its network"):
        load_model(path.parent)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"extracter": {}}, 'extracter: no such key (did you mean "extractor"?'),
        ({"split": {"train": 0.9}}, "split: train + validation + test is 1.05; it should be 1"),
        ({"features": {"type": "mell"}}, 'features.type: there is no "mell" (did you mean "mel"?'),
        (
            {"features": {"type": "mel", "n_mel": 3}},
            'features.n_mel: no such key (did you mean "n_mels"?',
        ),
        (
            {"features": {"type": "mel", "sample_rate": 600}},
            "noise.cutoff_hz: 400 should be under half of sample_rate, 300",
        ),
        ({"network": {"type": "cnm"}}, 'network.type: there is no "cnm" (did you mean "cnn"?'),
        ({"seed": -1}, "seed: -1: should be greater than or equal to 0"),
        ({"compute": {"precision": "foo"}}, 'compute.precision: "foo"'),
        ({"compute": {"processes": 0}}, "compute.processes: 0: should be greater than 0"),
        ({"extractor": {"patience": 0}}, "extractor.patience: 0: should be greater than 0"),
        (
            {"adaptation": {"type": "adda_frozen", "epochs": "many"}},
            'adaptation.epochs: "many": should be a valid integer',
        ),
        ({"adaptation": {"type": "none", "epochs": 3}}, "adaptation.epochs: no such key"),
        (
            {"adaptation": {"type": "scaling_law", "slow_down": [2, 1]}},
            "slow_down: [2, 1] should be a range [low, high]",
        ),
    ],
)
def test_a_wrong_config_is_one_sentence(sets, command, change, sentence):
    content = {
        "output": "m",
        "synthetic": "s",
        "real": "r",
        "features": {"type": "mel"},
        "network": {"type": "cnn"},
        "adaptation": {"type": "adda_frozen"},
    }
    (sets / "wrong.json").write_text(json.dumps(content | change))
    result = command("train-extractor", sets / "wrong.json")
    assert result.status == 2
    assert sentence in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_a_batch_too_small_for_its_processes_is_named(sets, config_of):
    # Batch normalisation needs two clips in every process.
    extractor, compute = {"epochs": 1, "batch_size": 3}, {"accelerator": "cpu", "processes": 2}
    sentence = r"extractor\.batch_size: 3 is too small for compute\.processes, 2: each needs two clips of every batch"
    with pytest.raises(TextureError, match=sentence):
        config_of(sets, extractor=extractor, compute=compute)

"""The networks that the thesis published, as model folders of ours."""

import json
import os
import re
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from domain_adaptation.cli import app
from domain_adaptation.config import AdaptationConfig
from domain_adaptation.models.model_folder import load_classifier, load_model
from texturelib.config import load_config


@pytest.fixture
def command(run_command):
    return partial(run_command, app)


@pytest.fixture
def published(thesis_network, tmp_path):
    """-> a copy of what the thesis published, without its sounds, to be spoilt."""
    folder = tmp_path / "published"
    folder.mkdir()
    for path in thesis_network.iterdir():
        if path.suffix in (".pth", ".json", ".csv") and "RealDataset" not in path.name:
            shutil.copyfile(path, folder / path.name)
    return folder


def part(folder: Path, ending: str) -> Path:
    (found,) = folder.glob(f"*{ending}")
    return found


@pytest.fixture
def imported(thesis_network, tmp_path, command):
    done = command("import-thesis", thesis_network, "--output", tmp_path / "models")
    assert done.status == 0, done.err
    assert "extractor, classifier and adapted read avgRate, minRadius, maxRadius, expRadius" in done.out
    return tmp_path / "models"


@pytest.mark.parametrize(
    ("model", "table"),
    [("extractor", "_ExtractedAudioFilesLabels_RealDataset.csv"), ("adapted", "_ExtractedAudioFilesLabels__DA_RealDataset.csv")],
)
def test_imported_networks_give_the_published_labels(imported, thesis_network, tmp_path, command, model, table):
    published = pd.read_csv(part(thesis_network, table), index_col=0)
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    names = []
    for path in (thesis_network / "Listening tests").glob("*[0-9].wav"):  # those recorded; "_Synthetic" have no labels
        (sounds / path.name).symlink_to(path)
        names.append(path.name)
    assert len(names) == 4
    done = command("label", "--model", imported / model, "--audio", sounds, "--output", tmp_path / "labels.csv")
    assert done.status == 0, done.err
    labels = pd.read_csv(tmp_path / "labels.csv", index_col=0)
    assert list(labels.columns) == list(published.columns)  # no intervals: nobody knows how sure these networks are
    # 5e-7 was measured when the weights were first read; float32 on another processor may differ a little more.
    np.testing.assert_allclose(labels.loc[sorted(names)], published.loc[sorted(names)], atol=1e-5, rtol=0)


def test_imported_networks_say_what_they_are(imported):
    for name in ("extractor", "adapted"):
        about = load_model(imported / name).about
        assert about.names == ["avgRate", "minRadius", "maxRadius", "expRadius"]
        assert (about.sample_rate, about.seconds, about.interval) == (44100, 1.0, None)
        assert about.input_shape == (1, 56, 161)
        assert about.features.noise.cutoff_hz == (50, 400)
        card = (imported / name / "README.md").read_text()
        assert "avgRate" in card
        assert "published with the thesis (GPL-3.0)" in card
    config = load_config(imported / "adaptation.json", AdaptationConfig)
    assert (config.extractor.epochs, config.extractor.batch_size, config.seed) == (250, 128, 42)


def test_the_imported_classifier_is_the_published_one(imported, thesis_network):
    classifier = load_classifier(imported / "classifier")
    weights = torch.load(part(thesis_network, "Classifier.pth"), map_location="cpu", weights_only=True)["model_state_dict"]
    linear = [layer for layer in classifier if isinstance(layer, torch.nn.Linear)]
    assert [layer.out_features for layer in linear] == [128, 64, 32, 16, 8, 4, 2, 1]
    for index, layer in enumerate(linear):
        assert torch.equal(layer.weight, weights[f"fc_blocks.{index}.0.weight"])


def test_models_that_are_there_are_not_replaced_unasked(imported, thesis_network, command):
    times = {path: path.stat().st_mtime_ns for path in imported.rglob("*")}
    refused = command("import-thesis", thesis_network, "--output", imported)
    assert refused.status == 2
    assert "extractor is there already; --overwrite replaces it" in refused.err
    assert {path: path.stat().st_mtime_ns for path in imported.rglob("*")} == times
    assert command("import-thesis", thesis_network, "--output", imported, "--overwrite").status == 0


# What cannot be imported: one sentence, and nothing written. ------------------------------------------------------------


class Trap:
    """In a pickle, runs a command when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def spoil_config(folder: Path, *keys: str, value: object = None) -> None:
    path = part(folder, "_ConfigDict.json")
    content = place = json.loads(path.read_text())
    for key in keys[:-1]:
        place = place[key]
    if value is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    path.write_text(json.dumps(content))


NETWORK = ("neuralNetwork_Settings", "arguments_For_Convolutional_DynamicNet_Constructor")
SPOILT = {
    "no weights": (lambda folder: part(folder, "DBScale.pth").unlink(), r"DBScale\.pth: no such file; it belongs to what"),
    "no classifier": (lambda folder: part(folder, "Classifier.pth").unlink(), r"Classifier\.pth: no such file"),
    "no adapted": (
        lambda folder: part(folder, "TargetDomainAdaptation.pth").unlink(),
        r"TargetDomainAdaptation\.pth: no such file",
    ),
    "no labels": (lambda folder: part(folder, "SynthDataset.csv").unlink(), r"SynthDataset\.csv: no such file"),
    "no config": (lambda folder: part(folder, "ConfigDict.json").unlink(), r"holds 0 files NAME_ConfigDict\.json; a published"),
    "config is no JSON": (lambda folder: part(folder, "ConfigDict.json").write_text("{"), r"ConfigDict\.json: not JSON"),
    "config lacks": (
        lambda folder: spoil_config(folder, "inputTransforms_Settings", "addNoise"),
        r"ConfigDict\.json: not a config that the thesis published \(it lacks 'addNoise'\)",
    ),
    "config lacks what clips are": (
        lambda folder: spoil_config(folder, "validation"),
        r"ConfigDict\.json: not a config .*'validation'",
    ),
    "config holds nonsense": (
        lambda folder: spoil_config(folder, "neuralNetwork_Settings", "batch_size", value="many"),
        r"batch_size.*(valid integer|many)",
    ),
    "controls": (
        lambda folder: spoil_config(folder, *NETWORK, "numberOfFeatures_ToExtract", value=5),
        r"the network has 5 controls, but the published labels 4 \(avgRate, minRadius, maxRadius, expRadius\)",
    ),
    "another size": (
        lambda folder: spoil_config(folder, *NETWORK, "numberOfConvLayers", value=3),
        r"\.pth: its weights do not fit the network of its config",
    ),
    "cut off": (
        lambda folder: part(folder, "DBScale.pth").write_bytes(part(folder, "DBScale.pth").read_bytes()[:5000]),
        r"DBScale\.pth: not a checkpoint of the thesis",
    ),
    "empty": (lambda folder: part(folder, "DBScale.pth").write_bytes(b""), r"DBScale\.pth: not a checkpoint of the thesis"),
    "other weights": (
        lambda folder: torch.save({"weights": {}}, part(folder, "Classifier.pth")),
        r"Classifier\.pth: not a checkpoint of the thesis",
    ),
    "no dictionary": (
        lambda folder: torch.save([1, 2], part(folder, "Classifier.pth")),
        r"Classifier\.pth: not a checkpoint of the thesis",
    ),
    "other layers": (
        lambda folder: torch.save({"model_state_dict": {"a.b": torch.zeros(1)}}, part(folder, "Classifier.pth")),
        r"Classifier\.pth: (not a checkpoint of the thesis|its weights do not fit)",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_what_does_not_fit_is_one_sentence_and_nothing_is_written(published, tmp_path, command, case):
    spoil, sentence = SPOILT[case]
    spoil(published)
    done = command("import-thesis", published, "--output", tmp_path / "models")
    assert done.status in (1, 2)
    assert "unexpected" not in done.err
    assert re.search(sentence, done.err), done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not (tmp_path / "models").exists()


def test_a_pickle_with_a_program_in_it_is_refused_and_the_program_does_not_run(published, tmp_path, command):
    mark = tmp_path / "it ran"
    torch.save({"model_state_dict": Trap(mark)}, part(published, "TargetDomainAdaptation.pth"))
    done = command("import-thesis", published, "--output", tmp_path / "models")
    assert done.status == 1
    assert "TargetDomainAdaptation.pth: refused: it holds something other than weights, which loading it might run" in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not mark.exists()
    assert not (tmp_path / "models").exists()
    torch.load(part(published, "TargetDomainAdaptation.pth"), weights_only=False)  # the trap works
    assert mark.exists()


def test_a_folder_that_is_not_there_is_named(tmp_path, command):
    done = command("import-thesis", tmp_path / "nowhere", "--output", tmp_path / "models")
    assert (done.status, done.err.strip().endswith("nowhere: no such folder")) == (1, True)

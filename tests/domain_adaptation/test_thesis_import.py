"""The networks that the thesis published, as model folders of ours."""

import itertools
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
import torchaudio

from domain_adaptation.cli import app
from domain_adaptation.config import AdaptationConfig
from domain_adaptation.models.model_folder import load_classifier, load_model
from texturelib.audio import read_mono
from texturelib.config import load_config


@pytest.fixture(scope="module")
def plain_network(thesis):
    """Return the folder of the network that the thesis trained before it had a step to decibels:
    weights, config, labels."""
    return next(path for path in (thesis / "published_plain").iterdir() if path.is_dir())


@pytest.fixture
def listening_tests(thesis_network):
    """Return a folder with four of the clips that the thesis published labels of."""
    return thesis_network / "Listening tests"


@pytest.fixture
def command(run_command):
    return partial(run_command, app)


@pytest.fixture
def published(thesis_network, tmp_path):
    """Return a copy of what the thesis published, without its sounds, to be spoilt."""
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
    assert (
        "extractor, classifier and adapted read avgRate, minRadius, maxRadius, expRadius from spectrograms in dec"
        in done.out
    )
    # Of four, the extractor's and the adapted network's.
    assert "as the published labels of 8 clips say" in done.out
    return tmp_path / "models"


def labels_agree(command, model: Path, table: Path, sounds: Path, place: Path) -> None:
    """Label clips with a model, and find the labels that were published."""
    published = pd.read_csv(table, index_col=0)
    done = command("label", "--model", model, "--audio", sounds, "--output", place / "labels.csv")
    assert done.status == 0, done.err
    labels = pd.read_csv(place / "labels.csv", index_col=0)
    # No intervals: nobody knows how sure these networks are.
    assert list(labels.columns) == list(published.columns)
    # "_Synthetic" have no labels.
    recorded = [name for name in labels.index if name in published.index]
    assert len(recorded) == 4
    # 5e-7 was measured when the weights were first read, of labels up to 14 some 9e-6; another processor may round otherwise.
    np.testing.assert_allclose(labels.loc[recorded], published.loc[recorded], atol=1e-5, rtol=1e-6)


@pytest.mark.parametrize(
    ("model", "table"),
    [
        ("extractor", "_ExtractedAudioFilesLabels_RealDataset.csv"),
        ("adapted", "_ExtractedAudioFilesLabels__DA_RealDataset.csv"),
    ],
)
def test_imported_networks_give_the_published_labels(
    imported, thesis_network, listening_tests, tmp_path, command, model, table
):
    labels_agree(command, imported / model, part(thesis_network, table), listening_tests, tmp_path)


def test_a_network_of_power_is_known_by_its_labels_and_gives_them(
    plain_network, listening_tests, tmp_path, command
):
    done = command(
        "import-thesis", plain_network, "--audio", listening_tests, "--output", tmp_path / "models"
    )
    assert done.status == 0, done.err
    assert (
        "extractor reads avgRate, minRadius, maxRadius, expRadius from spectrograms of power"
        in done.out
    )
    assert "no classifier and no adapted network was published there" in done.out
    assert {path.name for path in (tmp_path / "models").iterdir()} == {
        "extractor",
        "adaptation.json",
    }
    assert (
        load_config(tmp_path / "models/adaptation.json", AdaptationConfig).features.decibels
        is False
    )  # type: ignore[attr-defined]
    table = part(plain_network, "_ExtractedAudioFilesLabels_RealDataset.csv")
    labels_agree(command, tmp_path / "models/extractor", table, listening_tests, tmp_path)


def test_where_no_clip_tells_what_the_network_was_given_the_sentence_names_the_options(
    plain_network, tmp_path, command
):
    done = command("import-thesis", plain_network, "--output", tmp_path / "models")
    assert done.status == 2
    for option in ("--audio", "--decibels", "--no-decibels"):
        assert option in done.err
    assert not (tmp_path / "models").exists()
    assert (
        command(
            "import-thesis", plain_network, "--output", tmp_path / "models", "--no-decibels"
        ).status
        == 0
    )


def test_an_option_that_the_published_labels_belie_is_refused(thesis_network, tmp_path, command):
    done = command(
        "import-thesis", thesis_network, "--no-decibels", "--output", tmp_path / "models"
    )
    assert done.status == 1
    assert re.search(
        r"reads avgRate 0\.48\d* \(--no-decibels\), but 0\.5747 was published", done.err
    ), done.err
    assert not (tmp_path / "models").exists()


def test_imported_networks_say_what_they_are(imported):
    for name in ("extractor", "adapted"):
        spec = load_model(imported / name).spec
        assert spec.names == ["avgRate", "minRadius", "maxRadius", "expRadius"]
        assert (spec.sample_rate, spec.seconds, spec.interval) == (44100, 1.0, None)
        assert spec.input_shape == (1, 56, 161)
        assert spec.features.noise.cutoff_hz == (50, 400)
        card = (imported / name / "README.md").read_text()
        assert "avgRate" in card
        assert "published with the thesis (GPL-3.0)" in card
    config = load_config(imported / "adaptation.json", AdaptationConfig)
    assert (config.extractor.epochs, config.extractor.batch_size, config.seed) == (250, 128, 42)


def test_the_imported_classifier_is_the_published_one(imported, thesis_network):
    classifier = load_classifier(imported / "classifier")
    weights = torch.load(
        part(thesis_network, "Classifier.pth"), map_location="cpu", weights_only=True
    )["model_state_dict"]
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


@pytest.mark.parametrize("without", ["Classifier", "TargetDomainAdaptation"])
def test_what_was_not_published_is_named_and_the_rest_imported(
    published, tmp_path, command, without
):
    part(published, f"{without}.pth").unlink()
    done = command("import-thesis", published, "--decibels", "--output", tmp_path / "models")
    assert done.status == 0, done.err
    lacking = {"Classifier": "classifier", "TargetDomainAdaptation": "adapted"}[without]
    assert f"no {lacking}" in done.out
    written = {"extractor", "classifier", "adapted", "adaptation.json"} - {lacking}
    assert {path.name for path in (tmp_path / "models").iterdir()} == written


# Networks that the thesis's program makes of other settings: made here as FACTS describes it, with weights by chance. -----


class Theirs(torch.nn.Module):
    """Blocks of convolution, normalisation, LeakyReLU and pooling, then one linear layer; two
    controls."""

    def __init__(self, n_axes: int, n_blocks: int, input_shape: tuple[int, ...]) -> None:
        super().__init__()
        convolution = (torch.nn.Conv1d, torch.nn.Conv2d)[n_axes - 1]
        norm, pool = (
            (torch.nn.BatchNorm1d, torch.nn.MaxPool1d),
            (torch.nn.BatchNorm2d, torch.nn.MaxPool2d),
        )[n_axes - 1]
        channels = [1, *[2] * n_blocks]
        self.conv_blocks = torch.nn.ModuleList(
            torch.nn.Sequential(
                convolution(old, new, 3), norm(new), torch.nn.LeakyReLU(0.9), pool(2, 2)
            )
            for old, new in itertools.pairwise(channels)
        )
        n_features = self.encode(torch.zeros(1, *input_shape)).shape[1]
        self.fc_blocks = torch.nn.ModuleList(
            [torch.nn.Sequential(torch.nn.Linear(n_features, 2), torch.nn.LeakyReLU(0.9))]
        )

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.conv_blocks:
            x = block(x)
        return x.flatten(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc_blocks[0](self.encode(x))


def publish(
    folder: Path,
    network: Theirs,
    template: Path,
    n_blocks: int,
    shape: tuple[int, ...],
    labels: dict,
) -> Path:
    """Write what the thesis's program leaves of a network: weights, config, labels."""
    published = folder / "published"
    published.mkdir()
    torch.save({"model_state_dict": network.state_dict()}, published / "n.pth")
    content = json.loads(part(template, "_ConfigDict.json").read_text())
    content["neuralNetwork_Settings"]["arguments_For_Convolutional_DynamicNet_Constructor"] |= {
        "numberOfConvLayers": n_blocks,
        "numberOfFeaturesToExtract_IncremMultiplier_FromLayer1": 1,
        "numberOfFullyConnectedLayers": 1,
        "inputTensor_Shape": [1, *shape],
        "numberOfFeatures_ToExtract": 2,
    }
    (published / "n_ConfigDict.json").write_text(json.dumps(content))
    table = pd.DataFrame.from_dict(labels, orient="index", columns=["rate", "size"]).rename_axis(
        "AudioFileName"
    )
    table.to_csv(published / "n_ExtractedAudioFilesLabels_RealDataset.csv")
    return published


@pytest.fixture(params=["waveforms", "a long FFT"])
def variant(request, listening_tests, thesis_network, tmp_path):
    """Return a published folder, and the labels that its network gives four clips."""
    if request.param == "waveforms":
        n_axes, n_blocks, shape = 1, 10, (1, 32000)
        features = torchaudio.transforms.Resample(44100, 32000)
    else:  # the program of this network passed on the length that its config lists, 1024
        n_axes, n_blocks, shape = 2, 3, (1, 56, 63)
        features = torch.nn.Sequential(
            torchaudio.transforms.Resample(44100, 32000),
            torchaudio.transforms.MelSpectrogram(32000, n_fft=1024, n_mels=56, normalized=True),
        )
    torch.manual_seed(3)
    network = Theirs(n_axes, n_blocks, shape)
    clips = {
        path.name: read_mono(path, 44100) for path in sorted(listening_tests.glob("*[0-9].wav"))
    }
    assert len(clips) == 4
    with torch.inference_mode():
        given = torch.stack(
            [features(torch.from_numpy(clip / np.abs(clip).max())[None]) for clip in clips.values()]
        )
        network(given)  # so that its normalisation knows some sounds
        labels = dict(zip(clips, network.eval()(given).tolist(), strict=True))
    return publish(tmp_path, network, thesis_network, n_blocks, shape, labels), labels


def test_networks_of_other_settings_are_imported_and_label_as_their_program_does(
    variant, listening_tests, tmp_path, command
):
    published, expected = variant
    done = command(
        "import-thesis", published, "--audio", listening_tests, "--output", tmp_path / "models"
    )
    assert done.status == 0, done.err
    assert "as the published labels of 4 clips say" in done.out
    words = [
        "--model",
        tmp_path / "models/extractor",
        "--audio",
        listening_tests,
        "--output",
        tmp_path / "labels.csv",
    ]
    done = command("label", *words)
    assert done.status == 0, done.err
    labels = pd.read_csv(tmp_path / "labels.csv", index_col=0).loc[list(expected)]
    np.testing.assert_allclose(labels, [*expected.values()], atol=1e-5, rtol=0)


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


def spoil_weights(path: Path, name: str) -> None:
    content = torch.load(path, weights_only=True)
    content["model_state_dict"][name].view(-1)[0] = float("nan")
    torch.save(content, path)


NETWORK = ("neuralNetwork_Settings", "arguments_For_Convolutional_DynamicNet_Constructor")
SPOILT = {
    "no weights": (
        lambda folder: part(folder, "DBScale.pth").unlink(),
        r"DBScale\.pth: no such file; it belongs to what",
    ),
    "no labels": (
        lambda folder: part(folder, "SynthDataset.csv").unlink(),
        r"RealDataset\.csv: no such file, nor another table of labels; they name the controls",
    ),
    "labels that are none": (
        lambda folder: part(folder, "SynthDataset.csv").write_text("AudioFileName,a\nx.wav,loud\n"),
        r"SynthDataset\.csv: holds labels that are not numbers",
    ),
    "pools that overlap": (
        lambda folder: spoil_config(folder, *NETWORK, "kernelSizeOfPoolingLayers", value=3),
        r"strideOfPoolingLayers: 2 is not kernelSizeOfPoolingLayers, 3: pools that overlap",
    ),
    "waveforms": (
        lambda folder: spoil_config(folder, *NETWORK, "inputTensor_Shape", value=[1, 1, 32000]),
        r"--decibels: .*ConfigDict\.json: its network reads waveforms, not spectrograms",
    ),
    "two channels": (
        lambda folder: spoil_config(folder, *NETWORK, "inputTensor_Shape", value=[1, 2, 56, 161]),
        r"inputTensor_Shape: its network reads 2 channels",
    ),
    "three axes": (
        lambda folder: spoil_config(
            folder, *NETWORK, "inputTensor_Shape", value=[1, 1, 2, 56, 161]
        ),
        r"inputTensor_Shape: .* should have 3 numbers, or 4",
    ),
    "other frames": (
        lambda folder: spoil_config(folder, *NETWORK, "inputTensor_Shape", value=[1, 1, 56, 200]),
        r"its network reads 1 x 56 x 200 numbers, but of clips of 1 s at 44100 Hz its features are 1 x 56 x 161",
    ),
    "a length that is none": (
        lambda folder: spoil_config(
            folder, "validation", "nominal_AudioDurationSecs", value="long"
        ),
        r"ConfigDict\.json: not a config that the thesis published",
    ),
    "a network that fills the memory": (
        lambda folder: spoil_config(
            folder, *NETWORK, "numberOfFeaturesToExtract_IncremMultiplier_FromLayer1", value=16
        ),
        r"DBScale\.pth: (its network cannot be made|its weights do not fit)",
    ),
    "no config": (
        lambda folder: part(folder, "ConfigDict.json").unlink(),
        r"holds 0 files NAME_ConfigDict\.json; a published",
    ),
    "config is no JSON": (
        lambda folder: part(folder, "ConfigDict.json").write_text("{"),
        r"ConfigDict\.json: not JSON",
    ),
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
        r"\.pth: its weights do not fit the network of its config \(fc_blocks\.0\.0\.weight: 64 x 256, by the config \d+ x \d+\)",
    ),
    "cut off": (
        lambda folder: part(folder, "DBScale.pth").write_bytes(
            part(folder, "DBScale.pth").read_bytes()[:5000]
        ),
        r"DBScale\.pth: not a checkpoint of the thesis",
    ),
    "empty": (
        lambda folder: part(folder, "DBScale.pth").write_bytes(b""),
        r"DBScale\.pth: not a checkpoint of the thesis",
    ),
    "other weights": (
        lambda folder: torch.save({"weights": {}}, part(folder, "Classifier.pth")),
        r"Classifier\.pth: not a checkpoint of the thesis",
    ),
    "no dictionary": (
        lambda folder: torch.save([1, 2], part(folder, "Classifier.pth")),
        r"Classifier\.pth: not a checkpoint of the thesis",
    ),
    "weights that are not finite": (
        lambda folder: spoil_weights(
            part(folder, "TargetDomainAdaptation.pth"), "conv_blocks.1.0.weight"
        ),
        r"TargetDomainAdaptation\.pth: conv_blocks\.1\.0\.weight: 1 of its \d+ numbers are NaN or infinite",
    ),
    "other layers": (
        lambda folder: torch.save(
            {"model_state_dict": {"a.b": torch.zeros(1)}}, part(folder, "Classifier.pth")
        ),
        r"Classifier\.pth: (not a checkpoint of the thesis|its weights do not fit)",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_what_does_not_fit_is_one_sentence_and_nothing_is_written(
    published, tmp_path, command, case
):
    spoil, sentence = SPOILT[case]
    spoil(published)
    done = command("import-thesis", published, "--decibels", "--output", tmp_path / "models")
    assert done.status in (1, 2)
    assert "unexpected" not in done.err
    assert re.search(sentence, done.err), done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not (tmp_path / "models").exists()


def test_a_pickle_with_a_program_in_it_is_refused_and_the_program_does_not_run(
    published, tmp_path, command
):
    mark = tmp_path / "it ran"
    torch.save({"model_state_dict": Trap(mark)}, part(published, "TargetDomainAdaptation.pth"))
    done = command("import-thesis", published, "--decibels", "--output", tmp_path / "models")
    assert done.status == 1
    assert (
        "TargetDomainAdaptation.pth: refused: it holds something other than weights, which loading it might run"
        in done.err
    )
    assert len(done.err.strip().splitlines()) == 1
    assert not mark.exists()
    assert not (tmp_path / "models").exists()
    torch.load(part(published, "TargetDomainAdaptation.pth"), weights_only=False)  # the trap works
    assert mark.exists()


def test_a_folder_that_is_not_there_is_named(tmp_path, command):
    done = command("import-thesis", tmp_path / "nowhere", "--output", tmp_path / "models")
    assert (done.status, done.err.strip().endswith("nowhere: no such folder")) == (1, True)

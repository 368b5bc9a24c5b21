"""Make model folders from what the thesis published: trained networks, their config, and their
labels."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from domain_adaptation.config import AdaptationConfig
from domain_adaptation.models.card import write_imported_card
from domain_adaptation.models.extractor import Extractor, make_classifier
from domain_adaptation.models.model_folder import (
    Model,
    ModelSpec,
    new_model,
    save_classifier,
    save_model,
)
from domain_adaptation.models.thesis_config import about_of, checked, our_config, reads_waveforms
from domain_adaptation.models.thesis_labels import published_labels, that_answers_alike
from texturelib.durable import sync_folder
from texturelib.errors import TextureError, UsageError, first_line
from texturelib.files import read_json, shown, write_json
from texturelib.learning.model_card import CARD, names_of_older_model
from texturelib.learning.tensors import NotTensorsError, check_finite, load_tensors
from texturelib.learning.weights import WEIGHTS, of_the_size_of
from texturelib.locks import Lock
from texturelib.made import place_of, remove_folder_of_ours
from texturelib.replacing import check_replaceable, replaced
from texturelib.sound_files import is_kept_aside

_EXTRACTOR, _CLASSIFIER = "", "_FCLayers_SyntheticAndRealAudioClassifier"
_ADAPTED = "_ConvLayers_TargetDomainAdaptation"
_DECIBELS = {"--decibels": True, "--no-decibels": False}


_MODELS = ("extractor", "classifier", "adapted")
_CONFIG, _RETRAINED = "adaptation.json", "retrained"
_KEYS = (
    "output",
    "synthetic",
    "real",
    "seed",
    "split",
    "features",
    "network",
    "extractor",
    "classifier",
    "adaptation",
)
_COMMAND = "domain-adaptation import-thesis"


class Imported(NamedTuple):
    """The result of an import.

    models: the folders that were written. lacking: those of which nothing was published. option:
    the command-line option that says what the networks were given; "" for waveforms. n_clips: how
    many published clips get their published labels.
    """

    models: list[str]
    lacking: list[str]
    controls: list[str]
    option: str
    n_clips: int


def import_thesis(
    published: Path, output: Path, *, decibels: bool | None = None, audio: Path | None = None
) -> Imported:
    """Write the model folders `output`/extractor and, where they were published, classifier and
    adapted; also `output`/adaptation.json, the config with which `train-extractor` and the others
    would train such networks anew.

    decibels: whether the networks were given decibels or the power, which their config does not
        say; None: try both.
    audio: a folder with some of the clips whose labels were published; None: `published`, which may
        have some.
    Errors: TextureError, naming what is missing, foreign or does not fit; UsageError where nothing
        tells what `decibels` is.
    """
    audio = audio or published
    for folder in (published, audio):
        if not folder.is_dir():
            raise TextureError(f"{shown(folder)}: no such folder")
    path = published / f"{_common_name(published)}_ConfigDict.json"
    weights = {_EXTRACTOR: _read_weights(_beside(path, ".pth"))}
    for part in (_ADAPTED, _CLASSIFIER):
        if (file := _beside(path, f"{part}.pth")).exists():
            weights[part] = _read_weights(file)
    labels = published_labels(_beside(path, ""))
    readings = _possible_readings(path, read_json(path), labels.controls, decibels, output)

    # Only the encoder was adapted: the head is the extractor's.
    encoder = {
        name: value
        for name, value in weights.get(_ADAPTED, {}).items()
        if name.startswith("conv_blocks")
    }
    spec = next(iter(readings.values())).spec
    extractor = _network(_beside(path, ".pth"), spec, weights[_EXTRACTOR])
    adapted = (
        _network(_beside(path, f"{_ADAPTED}.pth"), spec, weights[_EXTRACTOR] | encoder)
        if encoder
        else None
    )
    candidates = {option: Model(extractor, reading.spec) for option, reading in readings.items()}
    option, n_clips = that_answers_alike(candidates, labels.extractor, audio, hint=_hint(path))
    reading = readings[option]
    models = {"extractor": candidates[option]}
    if adapted:
        models["adapted"] = Model(adapted, reading.spec)
        n_clips += that_answers_alike({option: models["adapted"]}, labels.adapted, audio, hint="")[
            1
        ]
    settings, n_features = reading.config.classifier, extractor.n_features
    classifier = make_classifier(settings.n_layers, settings.negative_slope, n_features)
    if _CLASSIFIER in weights:
        layers = {_classifier_name(name): value for name, value in weights[_CLASSIFIER].items()}
        _fill(_beside(path, f"{_CLASSIFIER}.pth"), classifier, layers)

    output.mkdir(parents=True, exist_ok=True)
    with Lock(output).held(_COMMAND):
        for name in _MODELS:
            _remove(output / name)  # of another training, nothing of ours should stay beside these
        for name, model in models.items():
            with _replaced(output / name):
                save_model(output / name, model)
                write_imported_card(output / name, reading.spec, path.parent.name)
        if _CLASSIFIER in weights:
            with _replaced(output / "classifier"):
                save_classifier(
                    output / "classifier",
                    classifier,
                    settings.n_layers,
                    settings.negative_slope,
                    n_features,
                )
        write_json(output / _CONFIG, reading.content)
        sync_folder(output)
    is_there = {
        "extractor": True,
        "classifier": _CLASSIFIER in weights,
        "adapted": adapted is not None,
    }
    written = [name for name, there in is_there.items() if there]
    return Imported(
        written,
        [name for name in is_there if name not in written],
        labels.controls,
        option,
        n_clips,
    )


class _Reading(NamedTuple):
    """One interpretation of the published config, as a config of this toolkit."""

    content: dict[str, Any]
    config: AdaptationConfig
    spec: ModelSpec


def _possible_readings(
    path: Path, theirs: dict[str, Any], controls: list[str], decibels: bool | None, output: Path
) -> dict[str, _Reading]:
    """Return the possible interpretations of the config, by the command-line option that selects
    each.

    Errors: TextureError, UsageError.
    """
    options = {option: value for option, value in _DECIBELS.items() if decibels in (value, None)}
    if reads_waveforms(path, theirs):
        if decibels is not None:
            raise UsageError(
                f"{next(iter(options))}: {shown(path)}: its network reads waveforms, not spectrograms"
            )
        options = {"": True}
    readings = {}
    for option, value in options.items():
        content = our_config(path, theirs, decibels=value)
        config = checked(path, content, output)
        readings[option] = _Reading(content, config, about_of(path, config, theirs, controls))
    return readings


def _hint(config: Path) -> str:
    return (
        f"{shown(config)}: does not say whether its network was given decibels or the power, and none of the clips that it "
        "published labels of is there to try: name a folder that has some with --audio, or say --decibels (the thesis's last "
        "network, ..._DBScale) or --no-decibels (those before)"
    )


def check_place(output: Path, overwrite: bool) -> None:
    """Check that the models may be written there: over nothing, or with `overwrite` over what the
    toolkit made.

    Errors: UsageError when they may not.
    """
    place_of(output / _CONFIG)  # no link within an output leads there
    for name in _MODELS:
        check_replaceable(output / name, overwrite, names_of_older_model)
    config = output / _CONFIG
    if config.is_symlink() or config.exists():
        if not overwrite:
            raise UsageError(f"--output: {shown(config)} is there already; --overwrite replaces it")
        if not _is_imported_config(config):
            raise UsageError(
                f"--output: {shown(config)} is in the way, and no import wrote it; move it, or name another folder"
            )


def _is_imported_config(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    try:
        found = read_json(path)
    except TextureError:
        return False
    return isinstance(found, dict) and tuple(found) == _KEYS and found["output"] == _RETRAINED


def _remove(folder: Path) -> None:
    if folder.exists():
        with _replaced(folder):
            pass
        with suppress(TextureError):  # others' files are in it
            remove_folder_of_ours(folder)


def _replaced(folder: Path) -> AbstractContextManager[None]:
    return replaced(folder, _COMMAND, names_of_older_model, (WEIGHTS, CARD))


def _common_name(published: Path) -> str:
    """Return the common beginning of the names of all published files."""
    found = sorted(
        path for path in published.glob("*_ConfigDict.json") if not is_kept_aside(path.name)
    )
    if len(found) != 1:
        raise TextureError(
            f"{shown(published)}: holds {len(found)} files NAME_ConfigDict.json; a published folder has one"
        )
    return found[0].name.removesuffix("_ConfigDict.json")


def _beside(config: Path, ending: str) -> Path:
    return config.with_name(config.name.removesuffix("_ConfigDict.json") + ending)


def _network(path: Path, spec: ModelSpec, weights: Mapping[str, torch.Tensor]) -> Extractor:
    """Return an extractor with these weights, in evaluation mode. Errors: TextureError."""
    with of_the_size_of(path, weights):
        extractor = new_model(spec).extractor
    for parameter in extractor.scale.parameters():
        nn.init.zeros_(parameter)  # nothing is known of how sure its labels are
    scale = {f"scale.{name}": value for name, value in extractor.scale.state_dict().items()}
    _fill(path, extractor, {_renamed(key): value for key, value in weights.items()} | scale)
    return extractor


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
    try:
        weights = dict(load_tensors(path)["model_state_dict"])
        if not all(
            isinstance(key, str) and isinstance(value, torch.Tensor)
            for key, value in weights.items()
        ):
            raise ValueError("it holds something other than tensors")
        check_finite(path, weights)
        return weights
    except FileNotFoundError:
        raise TextureError(
            f"{shown(path)}: no such file; it belongs to what the thesis published"
        ) from None
    except (NotTensorsError, KeyError, TypeError, ValueError, IndexError) as error:
        if isinstance(error, NotTensorsError) and error.is_refused:
            raise TextureError(
                f"{shown(path)}: refused: it holds something other than weights, which loading it might run"
            ) from None
        raise TextureError(
            f"{shown(path)}: not a checkpoint of the thesis ({first_line(error)})"
        ) from None


def _renamed(name: str) -> str:
    return name.replace("conv_blocks", "encoder.blocks").replace("fc_blocks", "head")


def _classifier_name(name: str) -> str:
    """Return the name of a classifier's weight in this toolkit: fc_blocks.3.0.weight becomes
    6.weight.

    Here, layers and what follows each of them are numbered consecutively.
    """
    parts = name.split(".")
    if len(parts) != 4 or not parts[1].isdigit():
        return name  # of another network: `_fill` says so
    return f"{2 * int(parts[1])}.{parts[3]}"


def _fill(path: Path, module: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Load the weights into `module`.

    Errors: TextureError, naming the first weight that is missing, left over or of another size.
    """
    sizes, expected = (
        {name: tuple(each.shape) for name, each in those.items()}
        for those in (weights, module.state_dict())
    )
    for name in [*expected, *sizes]:
        if sizes.get(name) != expected.get(name):
            found, wanted = _size(sizes.get(name)), _size(expected.get(name))
            name = name.replace("encoder.blocks", "conv_blocks").replace("head", "fc_blocks")
            raise TextureError(
                f"{shown(path)}: its weights do not fit the network of its config ({name}: {found}, by the config {wanted})"
            )
    module.load_state_dict(weights)
    module.eval()


def _size(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "none"
    return " x ".join(map(str, shape)) or "a number"

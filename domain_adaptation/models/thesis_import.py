"""Model folders from what the thesis published: its trained networks and their config."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import nn

from domain_adaptation.config import AdaptationConfig
from domain_adaptation.models.card import write_imported_card
from domain_adaptation.models.extractor import make_classifier
from domain_adaptation.models.model_folder import About, new_model, save_classifier, save_model
from texturelib._config_errors import sentence
from texturelib.controls import Control
from texturelib.errors import TextureError, first_line
from texturelib.files import read_json, read_table, shown, write_json
from texturelib.learning.tensors import NotTensorsError, load_tensors
from texturelib.sound_files import is_kept_aside

_EXTRACTOR, _CLASSIFIER = "", "_FCLayers_SyntheticAndRealAudioClassifier"
_ADAPTED = "_ConvLayers_TargetDomainAdaptation"
_LABELS = "_ExtractedAudioFilesLabels_SynthDataset.csv"
_SPECTROGRAM = {"n_fft": 400, "hop_length": 200}
"""The published config lists another FFT length, but its program never used it: these are torchaudio's defaults."""


def import_thesis(published: Path, output: Path) -> list[str]:
    """Write the model folders `output`/extractor, classifier and adapted, and `output`/adaptation.json, with which
    `train-extractor` and the others would train such networks anew.

    -> the names of the controls. Errors: TextureError, naming what is missing, foreign or does not fit.
    """
    if not published.is_dir():
        raise TextureError(f"{shown(published)}: no such folder")
    path = published / f"{_common_name(published)}_ConfigDict.json"
    weights = {part: _read_weights(_beside(path, f"{part}.pth")) for part in (_EXTRACTOR, _ADAPTED, _CLASSIFIER)}
    controls = [name for name in read_table(_beside(path, _LABELS)).columns if name != "AudioFileName"]
    theirs = read_json(path)
    content = _config(path, theirs)
    config = _checked(path, content, output)
    about = _about(path, config, theirs, controls)

    # Only the encoder was adapted: the head is the extractor's.
    encoder = {name: value for name, value in weights[_ADAPTED].items() if name.startswith("conv_blocks")}
    models = {"extractor": new_model(about), "adapted": new_model(about)}
    for name, values in (("extractor", weights[_EXTRACTOR]), ("adapted", weights[_EXTRACTOR] | encoder)):
        extractor = models[name].extractor
        for parameter in extractor.spread.parameters():
            nn.init.zeros_(parameter)  # nothing is known of how sure its labels are
        _fill(_beside(path, ".pth"), extractor, {_renamed(key): value for key, value in values.items()}, {"spread"})
    settings, n_features = config.classifier, models["extractor"].extractor.spread.in_features
    classifier = make_classifier(settings.n_layers, settings.negative_slope, n_features)
    layers = {_classifier_name(name): value for name, value in weights[_CLASSIFIER].items()}
    _fill(_beside(path, f"{_CLASSIFIER}.pth"), classifier, layers, set())

    for name in (*models, "classifier"):
        shutil.rmtree(output / name, ignore_errors=True)  # of another training, nothing should stay beside these
    for name, model in models.items():
        save_model(output / name, model)
        write_imported_card(output / name, about, path.parent.name)
    save_classifier(output / "classifier", classifier, settings.n_layers, settings.negative_slope, n_features)
    write_json(output / "adaptation.json", content)
    return controls


def _common_name(published: Path) -> str:
    """-> what the names of all its files begin with."""
    found = sorted(path for path in published.glob("*_ConfigDict.json") if not is_kept_aside(path.name))
    if len(found) != 1:
        raise TextureError(f"{shown(published)}: holds {len(found)} files NAME_ConfigDict.json; a published folder has one")
    return found[0].name.removesuffix("_ConfigDict.json")


def _beside(config: Path, ending: str) -> Path:
    return config.with_name(config.name.removesuffix("_ConfigDict.json") + ending)


def _config(path: Path, theirs: dict[str, Any]) -> dict[str, Any]:
    """-> the same settings as a config of ours. Its data are taken to lie beside it, as "synthetic" and "real"."""
    try:
        settings, inputs = theirs["neuralNetwork_Settings"], theirs["inputTransforms_Settings"]
        network = settings["arguments_For_Convolutional_DynamicNet_Constructor"]
        noise, shares = inputs["addNoise"], theirs["syntheticDataset_Settings"]["splits"]
        slope = settings["activation_Function"]["negative_slope"]
        training = {"batch_size": settings["batch_size"], "learning_rate": settings["learning_Rate"]}
        return {
            "output": "retrained",
            "synthetic": "synthetic",
            "real": "real",
            "seed": theirs["pyTorch_General_Settings"]["manual_seed"],
            "split": {"train": shares["train"], "validation": shares["val"], "test": shares["test"]},
            "features": {
                "type": "mel",
                "sample_rate": inputs["resample"]["new_freq"],
                "n_mels": inputs["spectrogram"]["n_mels"],
                **_SPECTROGRAM,
                "noise": {
                    "cutoff_hz": [
                        noise["minimum_LowPassFilter_FreqThreshold"],
                        noise["maximum_LowPassFilter_FreqThreshold"],
                    ],
                    "amount": [noise["minimumNoiseAmount"], noise["maximumNoiseAmount"]],
                }
                if noise["perform"]
                else None,
            },
            "network": {
                "type": "cnn",
                "n_blocks": network["numberOfConvLayers"],
                "kernel_size": network["kernelSizeOfConvLayers"],
                "stride": network["strideOfConvLayers"],
                "pool_size": network["kernelSizeOfPoolingLayers"],
                "channel_factor": network["numberOfFeaturesToExtract_IncremMultiplier_FromLayer1"],
                "n_head_layers": network["numberOfFullyConnectedLayers"],
                "head_factor": network["fullyConnectedLayers_InputSizeDecreaseFactor"],
                "negative_slope": slope,
            },
            "extractor": {"epochs": settings["number_Of_Epochs"], **training},
            "classifier": {"epochs": 50, "n_layers": 8, "negative_slope": slope, **training},
            "adaptation": {"type": "adda_frozen", "epochs": 50, **training},
        }
    except (KeyError, TypeError) as error:
        raise TextureError(f"{shown(path)}: not a config that the thesis published (it lacks {error})") from None


def _checked(path: Path, content: dict[str, Any], output: Path) -> AdaptationConfig:
    try:
        return AdaptationConfig.model_validate(content, context={"folder": output})
    except ValidationError as error:
        raise TextureError(f"{shown(path)}: {sentence(error, AdaptationConfig)}") from None


def _about(path: Path, config: AdaptationConfig, theirs: dict[str, Any], controls: Sequence[str]) -> About:
    try:
        clips = theirs["validation"]
        network = theirs["neuralNetwork_Settings"]["arguments_For_Convolutional_DynamicNet_Constructor"]
        n_controls = network["numberOfFeatures_ToExtract"]
        if len(controls) != n_controls:
            raise TextureError(
                f"{shown(path)}: the network has {n_controls} controls, but the published labels {len(controls)} "
                f"({', '.join(controls)})"
            )
        return About(
            network=config.network,
            features=config.features,
            input_shape=tuple(network["inputTensor_Shape"][1:]),
            controls=tuple(Control(name, 0.0, 1.0, "slider").describe() for name in controls),
            sample_rate=clips["nominal_SampleRate"],
            seconds=clips["nominal_AudioDurationSecs"],
        )
    except (KeyError, TypeError, ValidationError) as error:
        raise TextureError(f"{shown(path)}: not a config that the thesis published ({first_line(error)})") from None


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
    try:
        weights = dict(load_tensors(path)["model_state_dict"])
        if not all(isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in weights.items()):
            raise ValueError("it holds something other than tensors")
        return weights
    except FileNotFoundError:
        raise TextureError(f"{shown(path)}: no such file; it belongs to what the thesis published") from None
    except (NotTensorsError, KeyError, TypeError, ValueError, IndexError) as error:
        if isinstance(error, NotTensorsError) and error.is_refused:
            raise TextureError(
                f"{shown(path)}: refused: it holds something other than weights, which loading it might run"
            ) from None
        raise TextureError(f"{shown(path)}: not a checkpoint of the thesis ({first_line(error)})") from None


def _renamed(name: str) -> str:
    return name.replace("conv_blocks", "encoder.blocks").replace("fc_blocks", "head")


def _classifier_name(name: str) -> str:
    """fc_blocks.3.0.weight -> 6.weight: layers and what follows each of them are numbered through here."""
    parts = name.split(".")
    if len(parts) != 4 or not parts[1].isdigit():
        return name  # of another network: `_fill` says so
    return f"{2 * int(parts[1])}.{parts[3]}"


def _fill(path: Path, module: nn.Module, weights: Mapping[str, torch.Tensor], may_lack: set[str]) -> None:
    try:
        lacking, left_over = module.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise TextureError(f"{shown(path)}: its weights do not fit the network of its config ({error})") from None
    lacking = [name for name in lacking if name.split(".")[0] not in may_lack]
    if lacking or left_over:
        raise TextureError(f"{shown(path)}: its weights do not fit the network of its config ({[*lacking, *left_over][0]})")
    module.eval()

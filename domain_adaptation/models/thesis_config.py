"""Translate the config that the thesis published with a network into a config of this toolkit."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domain_adaptation.config import AdaptationConfig
from domain_adaptation.features.mel import Mel
from domain_adaptation.models.model_folder import ModelSpec
from texturelib._config_errors import sentence
from texturelib.controls import Control
from texturelib.errors import TextureError, first_line
from texturelib.files import shown

_N_FFT = 400
"""FFT length of torchaudio by default: the published config lists another, but its program did not
pass it on."""


def our_config(path: Path, theirs: Mapping[str, Any], *, decibels: bool) -> dict[str, Any]:
    """Return the thesis's settings as a config of this toolkit.

    path: of their config. decibels: whether the network was given decibels; it does not matter for
    a network of waveforms. The data are assumed to lie beside the config, as "synthetic" and
    "real". Errors: TextureError when a setting is missing, or one that networks of this toolkit do
    not have.
    """
    try:
        settings, inputs = theirs["neuralNetwork_Settings"], theirs["inputTransforms_Settings"]
        network = settings["arguments_For_Convolutional_DynamicNet_Constructor"]
        shares = theirs["syntheticDataset_Settings"]["splits"]
        slope = settings["activation_Function"]["negative_slope"]
        training = {
            "batch_size": settings["batch_size"],
            "learning_rate": settings["learning_Rate"],
        }
        _check_network(path, network)
        return {
            "output": "retrained",
            "synthetic": "synthetic",
            "real": "real",
            "seed": theirs["pyTorch_General_Settings"]["manual_seed"],
            "split": {
                "train": shares["train"],
                "validation": shares["val"],
                "test": shares["test"],
            },
            "features": {
                **_features(theirs, network["inputTensor_Shape"], decibels),
                "sample_rate": inputs["resample"]["new_freq"],
                "noise": _noise(inputs["addNoise"]),
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
        raise TextureError(
            f"{shown(path)}: not a config that the thesis published (it lacks {error})"
        ) from None
    except (ValueError, AttributeError, IndexError, OverflowError) as error:
        raise TextureError(
            f"{shown(path)}: not a config that the thesis published ({first_line(error)})"
        ) from None


def reads_waveforms(path: Path, theirs: Mapping[str, Any]) -> bool:
    """Return whether the network is one-dimensional. Errors: TextureError."""
    try:
        network = theirs["neuralNetwork_Settings"][
            "arguments_For_Convolutional_DynamicNet_Constructor"
        ]
        return len(network["inputTensor_Shape"]) == 3
    except (KeyError, TypeError) as error:
        raise TextureError(
            f"{shown(path)}: not a config that the thesis published (it lacks {error})"
        ) from None


def _check_network(path: Path, network: Mapping[str, Any]) -> None:
    """Check that the network is one that this toolkit can build.

    Errors: TextureError about what the thesis's program supports and this toolkit does not.
    """
    shape = network["inputTensor_Shape"]
    size, stride = network["kernelSizeOfPoolingLayers"], network["strideOfPoolingLayers"]
    if len(shape) not in (3, 4):
        raise TextureError(
            f"{shown(path)}: inputTensor_Shape: {shape} should have 3 numbers, or 4 of a spectrogram"
        )
    if shape[1] != 1:
        raise TextureError(
            f"{shown(path)}: inputTensor_Shape: its network reads {shape[1]} channels; here all are mixed to 1"
        )
    if stride != size:
        raise TextureError(
            f"{shown(path)}: strideOfPoolingLayers: {stride} is not kernelSizeOfPoolingLayers, {size}: pools that overlap or "
            "leave gaps are not among what can be imported"
        )


def _features(theirs: Mapping[str, Any], shape: Sequence[int], decibels: bool) -> dict[str, Any]:
    if len(shape) == 3:
        return {"type": "waveform", "renormalise": False, "remove_mean": False}
    spectrogram = theirs["inputTransforms_Settings"]["spectrogram"]
    clips = theirs["validation"]
    n_samples = (
        clips["nominal_AudioDurationSecs"]
        * theirs["inputTransforms_Settings"]["resample"]["new_freq"]
    )
    # Whether a program passed the listed length on shows in how many frames its network reads.
    listed = spectrogram.get("n_fft", _N_FFT)
    n_fft = (
        listed
        if shape[3] != _frames(n_samples, _N_FFT) and shape[3] == _frames(n_samples, listed)
        else _N_FFT
    )
    sizes = {"n_mels": spectrogram["n_mels"], "n_fft": n_fft, "hop_length": n_fft // 2}
    return {"type": "mel", **sizes, "decibels": decibels, "remove_mean": False}


def _frames(n_samples: float, n_fft: int) -> int:
    return 1 + int(n_samples) // max(1, n_fft // 2)


def _noise(noise: Mapping[str, Any]) -> dict[str, Any] | None:
    if not noise["perform"]:
        return None
    return {
        "cutoff_hz": [
            noise["minimum_LowPassFilter_FreqThreshold"],
            noise["maximum_LowPassFilter_FreqThreshold"],
        ],
        "amount": [noise["minimumNoiseAmount"], noise["maximumNoiseAmount"]],
    }


def checked(path: Path, content: dict[str, Any], folder: Path) -> AdaptationConfig:
    """Return the validated config. folder: where `content` is to stand. Errors: TextureError."""
    try:
        return AdaptationConfig.model_validate(content, context={"folder": folder})
    except ValidationError as error:
        raise TextureError(f"{shown(path)}: {sentence(error, AdaptationConfig)}") from None


def about_of(
    path: Path, config: AdaptationConfig, theirs: Mapping[str, Any], controls: Sequence[str]
) -> ModelSpec:
    """Return the description of the published extractor.

    controls: their names, as the published labels have them. Errors: TextureError when these, the
    config's shape of a clip's features and its features do not go together.
    """
    try:
        clips = theirs["validation"]
        network = theirs["neuralNetwork_Settings"][
            "arguments_For_Convolutional_DynamicNet_Constructor"
        ]
        n_controls = network["numberOfFeatures_ToExtract"]
        if len(controls) != n_controls:
            raise TextureError(
                f"{shown(path)}: the network has {n_controls} controls, but the published labels {len(controls)} "
                f"({', '.join(controls)})"
            )
        spec = ModelSpec(
            network=config.network,
            features=config.features,
            input_shape=tuple(network["inputTensor_Shape"][1:]),
            controls=tuple(Control(name, 0.0, 1.0, "slider").describe() for name in controls),
            sample_rate=clips["nominal_SampleRate"],
            seconds=clips["nominal_AudioDurationSecs"],
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise TextureError(
            f"{shown(path)}: not a config that the thesis published ({first_line(error)})"
        ) from None
    n_samples = math.ceil(
        round(spec.seconds * spec.sample_rate) * spec.features.sample_rate / spec.sample_rate
    )
    mel = spec.features if isinstance(spec.features, Mel) else None
    shape = (1, mel.n_mels, _frames(n_samples, mel.n_fft)) if mel else (1, n_samples)
    if shape != spec.input_shape:
        raise TextureError(
            f"{shown(path)}: inputTensor_Shape: its network reads {_product(spec.input_shape)} numbers, but of clips of "
            f"{spec.seconds:g} s at {spec.sample_rate} Hz its features are {_product(shape)}"
        )
    return spec


def _product(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))

"""Model folders: weights that know their own shape, scores, plots."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from domain_adaptation.config import NetworkConfig
from domain_adaptation.networks import Extractor, make_classifier
from texturelib.errors import TextureError
from texturelib.files import shown, whole_file

_WEIGHTS = "model.safetensors"


def save_extractor(
    folder: Path, model: Extractor, network: NetworkConfig, input_shape: Sequence[int], controls: Sequence[str]
) -> None:
    """input_shape: of one clip's features. controls: the names of the outputs, in order."""
    about = {"network": network.model_dump(), "input_shape": list(input_shape), "controls": list(controls)}
    _save(folder, model, about)


def load_extractor(folder: Path) -> tuple[Extractor, list[str]]:
    """-> the extractor in evaluation mode, and the names of its controls. Errors: TextureError."""
    weights, about = _load(folder)
    model = Extractor(NetworkConfig(**about["network"]), about["input_shape"], len(about["controls"]))
    model.load_state_dict(weights)
    return model.eval(), about["controls"]


def save_classifier(folder: Path, model: nn.Module, n_layers: int, negative_slope: float, n_features: int) -> None:
    _save(folder, model, {"n_layers": n_layers, "negative_slope": negative_slope, "n_features": n_features})


def load_classifier(folder: Path) -> nn.Module:
    """-> the classifier in evaluation mode, frozen. Errors: TextureError."""
    weights, about = _load(folder)
    model = make_classifier(about["n_layers"], about["negative_slope"], about["n_features"])
    model.load_state_dict(weights)
    return model.eval().requires_grad_(False)


def _save(folder: Path, model: nn.Module, about: Mapping[str, Any]) -> None:
    with whole_file(folder / _WEIGHTS) as part:
        save_file(model.state_dict(), part, metadata={"about": json.dumps(about)})


def _load(folder: Path) -> tuple[dict[str, torch.Tensor], Any]:
    path = folder / _WEIGHTS
    if not path.exists():
        raise TextureError(f"{shown(path)}: no such file; train that network first")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["about"])  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise TextureError(f"{shown(path)}: not a model of this toolkit ({error})") from None

"""A network in one file that says what it is: safetensors, with a description as JSON in its header."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from texturelib.config import Config
from texturelib.errors import TextureError, first_line
from texturelib.files import shown, whole_file

WEIGHTS = "model.safetensors"

About = TypeVar("About", bound=Config)


def save_weights(folder: Path, module: nn.Module, about: Mapping[str, Any]) -> None:
    """about: what `load_weights` needs to know to make the module anew."""
    weights = {name: value.contiguous() for name, value in module.state_dict().items()}
    with whole_file(folder / WEIGHTS) as part:
        part.write_bytes(save(weights, metadata={"about": json.dumps(about)}))  # whose errors are the system's


def load_weights(folder: Path, about_class: type[About]) -> tuple[dict[str, torch.Tensor], About]:
    """Errors: TextureError when there is none, or it is none of ours."""
    path = folder / WEIGHTS
    if not path.exists():
        raise TextureError(f"{shown(path)}: no such file; name a model folder, or train that network first")
    try:
        with safe_open(path, framework="pt") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return weights, about_class.model_validate_json(file.metadata()["about"])
    except (SafetensorError, OSError, KeyError, TypeError, ValidationError) as error:
        reason = first_line(error)
        raise TextureError(f"{shown(path)}: not a model of this toolkit that fits here ({reason})") from None


def fill(folder: Path, module: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Put the weights of `folder` into the module; it is then in evaluation mode. Errors: TextureError when they do not fit."""
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        reason = first_line(error)
        raise TextureError(f"{shown(folder / WEIGHTS)}: its weights do not fit its network ({reason})") from None
    module.eval()

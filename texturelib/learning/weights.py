"""A network in one file that describes itself: safetensors, with a JSON description in its
header."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn
from torch.overrides import TorchFunctionMode

from texturelib.config import Config
from texturelib.errors import TextureError, first_line
from texturelib.files import check_file, shown, whole_file
from texturelib.learning.tensors import check_finite

WEIGHTS = "model.safetensors"

ModelSpec = TypeVar("ModelSpec", bound=Config)


def save_weights(folder: Path, module: nn.Module, spec: Mapping[str, Any]) -> None:
    """Save a network's weights. spec: what `load_weights` needs to make the module again."""
    weights = {name: value.contiguous() for name, value in module.state_dict().items()}
    with whole_file(folder / WEIGHTS, is_durable=True) as part:
        # Written by Python, not by safetensors, so that errors are the system's.
        part.write_bytes(save(weights, metadata={"about": json.dumps(spec)}))


def load_weights(
    folder: Path, spec_class: type[ModelSpec]
) -> tuple[dict[str, torch.Tensor], ModelSpec]:
    """Load a network. Errors: TextureError when there is none, or when it is not one of ours."""
    path = folder / WEIGHTS
    if not path.exists():
        raise TextureError(
            f"{shown(path)}: no such file; name a model folder, or train that network first"
        )
    check_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return weights, spec_class.model_validate_json(file.metadata()["about"])
    except (SafetensorError, OSError, KeyError, TypeError, ValidationError) as error:
        reason = first_line(error)
        raise TextureError(
            f"{shown(path)}: not a model of this toolkit that fits here ({reason})"
        ) from None


def is_described(folder: Path) -> bool:
    """Return whether the folder's weights have the description that `save_weights` writes."""
    try:
        check_file(folder / WEIGHTS)
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            return "about" in (file.metadata() or {})
    except (SafetensorError, OSError, TextureError):
        return False


@contextmanager
def of_the_size_of(file: Path, weights: Mapping[str, torch.Tensor]) -> Iterator[None]:
    """Make, in this block, the network whose weights `file` holds.

    Errors: TextureError when it cannot be made, or as soon as it has far more weights than the
    file: a file of a kilobyte may ask for a network that fills the memory.
    """
    try:
        with _AtMost(_SLACK + sum(each.numel() for each in weights.values())):
            yield
    except Exception as error:  # wrong settings raise torch's, Python's or our errors
        raise TextureError(
            f"{shown(file)}: its network cannot be made ({first_line(error)})"
        ) from None


_SLACK = 2**20  # numbers that a network may have besides its weights


class _AtMost(TorchFunctionMode):
    """Limits how many numbers `torch.empty` may make, which every layer uses for its weights."""

    def __init__(self, n_numbers: int) -> None:
        super().__init__()
        self._n_left = n_numbers

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.empty and args:
            self._n_left -= math.prod(args[0] if isinstance(args[0], (tuple, list)) else args)
            if self._n_left < 0:
                raise ValueError("it is larger than its weights")
        return func(*args, **(kwargs or {}))


def fill(folder: Path, module: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Load the weights of `folder` into the module, and set it to evaluation mode.

    Errors: TextureError when they do not fit, or are not finite.
    """
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        reason = first_line(error)
        raise TextureError(
            f"{shown(folder / WEIGHTS)}: its weights do not fit its network ({reason})"
        ) from None
    check_finite(folder / WEIGHTS, module.state_dict())
    module.eval()

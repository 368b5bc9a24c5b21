"""Import MTCRNN's checkpoints as instruments."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from conditioned_synthesis.dsp.mu_law import LEVELS
from conditioned_synthesis.instrument.card import write_imported_card
from conditioned_synthesis.instrument.instrument import (
    Instrument,
    ModelSpec,
    Slider,
    new_instrument,
    save_instrument,
)
from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn
from texturelib.controls import Control
from texturelib.durable import sync_folder
from texturelib.errors import TextureError, UsageError, first_line
from texturelib.files import shown
from texturelib.learning.model_card import CARD, names_of_older_model
from texturelib.learning.tensors import NotTensorsError, check_finite, load_tensors
from texturelib.learning.weights import WEIGHTS, of_the_size_of
from texturelib.replacing import check_replaceable, replaced


def import_model(
    checkpoint: Path, output: Path, controls: Sequence[str], sample_rate: int, overwrite: bool
) -> ModelSpec:
    """Write `output/model.safetensors`, and return the description in the model folder. The
    network's size is read from the weights.

    Errors: TextureError when the file is none of MTCRNN's audio networks; UsageError when it has
    another number of controls; as `check_replaceable` about the folder.
    """
    check_replaceable(output, overwrite, names_of_older_model)
    weights = _read(checkpoint)
    hidden_size, n_inputs = weights["i2d.weight"].shape
    onehot = n_inputs >= LEVELS
    n_controls = n_inputs - (LEVELS if onehot else 1)
    if len(controls) != n_controls:
        named = f"{len(controls)} named" if controls else "none named"
        raise UsageError(
            f"--control: {shown(checkpoint)} has {n_controls} controls, {named}; name each, in the order of --prop"
        )
    if len(set(controls)) < len(controls):
        raise UsageError(
            f"--control: {shown(checkpoint)}'s controls need names that differ; {', '.join(controls)} do not"
        )
    n_layers = sum(bool(re.fullmatch(r"gru\.weight_hh_l\d+", name)) for name in weights)
    try:
        settings = Mtcrnn(hidden_size=hidden_size, n_layers=n_layers, onehot=onehot)
    except ValidationError:
        raise TextureError(
            f"{shown(checkpoint)}: has {n_layers} layers, which are too many; 16 can be played"
        ) from None
    spec = ModelSpec(
        synthesiser=settings,
        sliders=tuple(
            Slider(control=Control(name, 0.0, 1.0, "").describe(), low=0.0, high=1.0)
            for name in controls
        ),
        sample_rate=sample_rate,
    )
    with of_the_size_of(checkpoint, weights):
        instrument = new_instrument(spec, seed=0)
    _fill(checkpoint, instrument, weights)
    with replaced(
        output, "conditioned-synthesis import-model", names_of_older_model, (WEIGHTS, CARD)
    ):
        save_instrument(output, instrument)
        write_imported_card(output, spec, checkpoint.name)
        sync_folder(output)
    return spec


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        weights = load_tensors(path)
    except FileNotFoundError:
        raise TextureError(f"{shown(path)}: no such file") from None
    except NotTensorsError as error:
        raise TextureError(
            f"{shown(path)}: not a checkpoint that holds tensors alone ({first_line(error)})"
        ) from None
    if not _is_theirs(weights):
        raise TextureError(
            f"{shown(path)}: should hold the weights of MTCRNN's audio network: i2d, gru and h2o"
        )
    check_finite(path, weights)
    return weights


def _is_theirs(weights: Any) -> bool:
    if not isinstance(weights, dict) or not all(isinstance(name, str) for name in weights):
        return False
    first = weights.get("i2d.weight")
    is_matrix = isinstance(first, torch.Tensor) and first.ndim == 2 and first.numel() > 0
    return (
        is_matrix
        and "gru.weight_hh_l0" in weights
        and all(isinstance(each, torch.Tensor) for each in weights.values())
    )


def _fill(path: Path, instrument: Instrument, weights: dict[str, torch.Tensor]) -> None:
    """Load the weights into the instrument's network.

    Errors: TextureError, naming the first weight that is missing, left over or of another size.
    """
    expected = {name: tuple(each.shape) for name, each in instrument.network.state_dict().items()}
    for name in [*expected, *weights]:
        found = tuple(weights[name].shape) if name in weights else None
        if found != expected.get(name):
            sizes = (
                " x ".join(map(str, shape)) if shape else "none"
                for shape in (found, expected.get(name))
            )
            raise TextureError(
                f"{shown(path)}: its weights are not those of MTCRNN's audio network ({name}: {', but should be '.join(sizes)})"
            )
    instrument.network.load_state_dict(weights)

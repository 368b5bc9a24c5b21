"""MTCRNN's checkpoints, as instruments."""

import pickle
from collections.abc import Sequence
from pathlib import Path

import torch

from conditioned_synthesis.instrument import About, Instrument, Slider, new_instrument, save_instrument
from conditioned_synthesis.model_card import write_imported_card
from conditioned_synthesis.mu_law import LEVELS
from conditioned_synthesis.synthesisers.mtcrnn import Mtcrnn
from texturelib.controls import Control
from texturelib.errors import TextureError, UsageError, first_line
from texturelib.files import remove_parts, shown
from texturelib.locks import Lock
from texturelib.outputs import is_empty


def import_model(checkpoint: Path, output: Path, controls: Sequence[str], sample_rate: int, overwrite: bool) -> About:
    """Write `output/model.safetensors`. The network's size is read from the weights. -> what the model folder says of itself.

    Errors: TextureError when the file is none of MTCRNN's audio networks; UsageError when it has another number of controls.
    """
    # One that was killed before it wrote the weights has left an empty folder.
    if output.exists() and not overwrite and not (output.is_dir() and is_empty(output)):
        raise UsageError(f"--output: {shown(output)} is there already; --overwrite replaces it")
    weights = _read(checkpoint)
    hidden_size, n_inputs = weights["i2d.weight"].shape
    onehot = n_inputs >= LEVELS
    n_controls = n_inputs - (LEVELS if onehot else 1)
    if len(controls) != n_controls:
        named = f"{len(controls)} named" if controls else "none named"
        raise UsageError(f"--control: {shown(checkpoint)} has {n_controls} controls, {named}; name each, in the order of --prop")
    settings = Mtcrnn(
        hidden_size=hidden_size, n_layers=sum(name.startswith("gru.weight_hh_l") for name in weights), onehot=onehot
    )
    about = About(
        synthesiser=settings,
        sliders=tuple(Slider(control=Control(name, 0.0, 1.0, "").describe(), low=0.0, high=1.0) for name in controls),
        sample_rate=sample_rate,
    )
    instrument = new_instrument(about, seed=0)
    _fill(checkpoint, instrument, weights)
    output.mkdir(parents=True, exist_ok=True)
    with Lock(output).held("conditioned-synthesis import-model"):
        remove_parts(output)
        save_instrument(output, instrument)
        write_imported_card(output, about, checkpoint.name)
    return about


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise TextureError(f"{shown(path)}: no such file") from None
    except (RuntimeError, OSError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise TextureError(f"{shown(path)}: not a checkpoint that holds tensors alone ({first_line(error)})") from None
    is_ours = isinstance(weights, dict) and all(isinstance(value, torch.Tensor) for value in weights.values())
    if not is_ours or "i2d.weight" not in weights or weights["i2d.weight"].ndim != 2:
        raise TextureError(f"{shown(path)}: should hold the weights of MTCRNN's audio network: i2d, gru and h2o")
    return weights


def _fill(path: Path, instrument: Instrument, weights: dict[str, torch.Tensor]) -> None:
    try:
        instrument.network.load_state_dict(weights)
    except RuntimeError as error:
        raise TextureError(f"{shown(path)}: its weights are not those of MTCRNN's audio network ({first_line(error)})") from None

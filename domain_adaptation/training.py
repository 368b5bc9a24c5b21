"""The training loop that the networks of stage 3 share."""

import math
import pickle
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn
from torch.utils.data import DataLoader, Dataset

from domain_adaptation.config import ComputeConfig
from domain_adaptation.memory import keep_freed_memory
from texturelib.errors import TextureError, UsageError
from texturelib.files import shown, whole_file, write_table
from texturelib.progress import progress


class HasState(Protocol):
    """Something that changes along with a training, and must be saved with it."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Any, /) -> Any: ...


Loss = Callable[..., torch.Tensor]
"""(module, *a batch's tensors) -> a scalar."""


class Settings(Protocol):
    """What a config says of a training."""

    @property
    def epochs(self) -> int: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def schedule(self) -> Literal["constant", "cosine"]: ...


class Clips(Dataset[Any]):
    """Some rows of arrays that may lie on disk, read a whole batch at a time."""

    def __init__(self, indices: np.ndarray, *arrays: np.ndarray) -> None:
        """indices: [clips], into the first axis of every one of `arrays`."""
        self._indices = indices
        self._arrays = arrays

    def __len__(self) -> int:
        return len(self._indices)

    def __getitems__(self, rows: list[int]) -> tuple[torch.Tensor, ...]:
        """-> one tensor [batch, ...] per array."""
        chosen = self._indices[rows]
        return tuple(torch.from_numpy(np.array(array[chosen])) for array in self._arrays)


def start_fabric(compute: ComputeConfig) -> Fabric:
    """-> where and how exactly to compute. Errors: UsageError when this machine cannot."""
    keep_freed_memory()
    try:
        return Fabric(accelerator=compute.accelerator, devices=1, precision=compute.precision)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f'compute: "{compute.accelerator}", "{compute.precision}" cannot be had here ({reason})') from None


@dataclass
class State:
    """All that an interrupted training needs to go on as if nothing had happened."""

    epoch: int = 0
    kept_epoch: int = -1
    kept_loss: float = math.inf
    history: list[dict[str, float]] = field(default_factory=list)
    kept_weights: dict[str, torch.Tensor] = field(default_factory=dict)


def fit(
    module: nn.Module,
    loss_function: Loss,
    train: Clips,
    validation: Clips,
    settings: Settings,
    *,
    folder: Path,
    seed: int,
    fabric: Fabric,
    label: str,
    keeps_best: bool = True,
    also_saved: HasState | None = None,
) -> State:
    """Train `module`. Goes on from `folder/last.ckpt` where there is one.

    keeps_best: it ends with the weights of the epoch whose validation loss was lowest; else with those of the last.
    also_saved: what learns along with the module, such as an adversary.
    Writes last.ckpt, history.csv and TensorBoard events after every epoch.
    Errors: TextureError when the loss is no longer a number.
    """
    # Imported here: tensorboard takes a second, and prints of its own.
    from torch.utils.tensorboard.writer import SummaryWriter

    optimizer: torch.optim.Optimizer = torch.optim.Adam(module.parameters(), lr=settings.learning_rate)
    wrapped, optimizer = fabric.setup(module, optimizer)
    # Only now: the module is on its device, and the optimizer's state must follow it there.
    learning: dict[str, HasState] = {"weights": module, "optimizer": optimizer}
    if also_saved is not None:
        learning["also_saved"] = also_saved
    state = _resume(folder / "last.ckpt", learning)
    validation_loader = cast("DataLoader[Any]", fabric.setup_dataloaders(_loader(validation, settings.batch_size)))

    with SummaryWriter(str(folder / "tensorboard"), purge_step=state.epoch) as writer:
        bar = progress(range(state.epoch, settings.epochs), label, total=settings.epochs, unit="epoch", initial=state.epoch)
        for epoch in bar:
            # Each epoch's order and draws come from (seed, epoch), so a resumed run sees what an unbroken one would.
            torch.manual_seed(seed * 100_003 + epoch)
            _set_learning_rate(optimizer, settings, epoch)
            train_loader = cast("DataLoader[Any]", fabric.setup_dataloaders(_loader(train, settings.batch_size, shuffle=True)))
            wrapped.train()
            total, n_clips = 0.0, 0
            for batch in train_loader:
                loss = loss_function(wrapped, *batch)
                fabric.backward(loss)
                optimizer.step()
                optimizer.zero_grad()
                total += float(loss.detach()) * len(batch[0])
                n_clips += len(batch[0])
            losses = {"train_loss": total / n_clips, "validation_loss": evaluate(wrapped, loss_function, validation_loader)}
            if not all(math.isfinite(value) for value in losses.values()):
                raise TextureError(f"{label}: the loss is no longer a number in epoch {epoch + 1}; lower the learning rate")

            if not keeps_best or losses["validation_loss"] < state.kept_loss:
                state.kept_epoch, state.kept_loss = epoch, losses["validation_loss"]
                state.kept_weights = {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}
            state.history.append({"epoch": epoch + 1, **losses})
            state.epoch = epoch + 1
            _save(folder / "last.ckpt", state, learning)
            _write_history(folder, state)
            for name, value in losses.items():
                writer.add_scalar(name, value, epoch + 1)
            bar.set_postfix({name: f"{value:.4f}" for name, value in losses.items()})

    module.load_state_dict(state.kept_weights)
    module.eval()
    return state


def _set_learning_rate(optimizer: torch.optim.Optimizer, settings: Settings, epoch: int) -> None:
    falls = 0.5 * (1 + math.cos(math.pi * epoch / settings.epochs)) if settings.schedule == "cosine" else 1.0
    for group in optimizer.param_groups:
        group["lr"] = settings.learning_rate * falls


@torch.no_grad()
def evaluate(module: nn.Module, loss_function: Loss, batches: DataLoader[Any]) -> float:
    """-> the mean loss over all clips of `batches`, with the module in evaluation mode."""
    module.eval()
    total, n_clips = 0.0, 0
    for batch in batches:
        total += float(loss_function(module, *batch)) * len(batch[0])
        n_clips += len(batch[0])
    return total / n_clips


@torch.inference_mode()
def predict(module: nn.Module, features: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """features: [clips, channels, ...] -> [clips, outputs] float32, with the module in evaluation mode."""
    module.eval()
    device = next(module.parameters()).device
    batches = (features[start : start + batch_size] for start in range(0, len(features), batch_size))
    return np.concatenate([module(torch.from_numpy(np.array(batch)).to(device)).cpu().numpy() for batch in batches])


def _loader(clips: Clips, batch_size: int, shuffle: bool = False) -> DataLoader[Any]:
    # Clips come as whole batches, so there is nothing to collate. A last batch of one cannot be batch-normalised.
    drop_last = shuffle and len(clips) > batch_size and len(clips) % batch_size == 1
    return DataLoader(clips, batch_size, shuffle=shuffle, collate_fn=cast("Any", _as_it_is), drop_last=drop_last)


def _as_it_is(batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return batch


def _resume(checkpoint: Path, learning: Mapping[str, HasState]) -> State:
    if not checkpoint.exists():
        return State()
    try:
        content: Mapping[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
        state = State(**content["state"])
        for name, part in learning.items():
            part.load_state_dict(content[name])
    except (RuntimeError, KeyError, TypeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise TextureError(
            f"{shown(checkpoint)}: not a checkpoint of this training ({reason}); remove it to start anew"
        ) from None
    return state


def _save(checkpoint: Path, state: State, learning: Mapping[str, HasState]) -> None:
    # asdict copies the kept weights too, so nothing in the file is tied to the weights that go on changing.
    content = {"state": asdict(state)} | {name: part.state_dict() for name, part in learning.items()}
    # Through an open file: given a path, torch writes its (temporary) name into the archive.
    with whole_file(checkpoint) as part_path, part_path.open("wb") as file:
        torch.save(content, file)


def _write_history(folder: Path, state: State) -> None:
    import pandas as pd

    write_table(folder / "history.csv", pd.DataFrame(state.history))

"""The training loop that the networks of stage 3 share."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from texturelib.errors import TextureError
from texturelib.learning.checkpoint import HasState, resume
from texturelib.learning.schedule import Schedule, set_learning_rate
from texturelib.learning.training_log import TrainingLog
from texturelib.progress import progress


class Rows(Protocol):
    """An array, or what reads like one: the first axis is taken by indices."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: np.ndarray, /) -> np.ndarray: ...


Loss = Callable[..., torch.Tensor]
"""(module, *a batch's tensors) -> a scalar."""


_STEPS_TO_BEGIN = 50  # a batch normalisation has forgotten its first guess then, to half a percent


class Settings(Protocol):
    """What a config says of a training."""

    @property
    def epochs(self) -> int: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def schedule(self) -> Schedule: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def patience(self) -> int | None: ...


class Clips:
    """Some rows of arrays, read a batch at a time."""

    def __init__(self, indices: np.ndarray, *arrays: Rows) -> None:
        """indices: [clips], into the first axis of every one of `arrays`."""
        self._indices = indices
        self._arrays = arrays

    def __len__(self) -> int:
        return len(self._indices)

    def batch(self, rows: np.ndarray) -> tuple[torch.Tensor, ...]:
        """rows: [batch], of these clips -> one tensor [batch, ...] per array."""
        chosen = self._indices[rows]
        return tuple(torch.from_numpy(np.ascontiguousarray(array[chosen])) for array in self._arrays)


@dataclass
class State:
    """All that an interrupted training needs to go on as if nothing had happened."""

    epoch: int = 0
    kept_epoch: int = -1
    kept_loss: float = math.inf
    history: list[dict[str, float]] = field(default_factory=list)
    kept_weights: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Training:
    """What a training is given besides the module and its clips.

    keeps_best: it ends with the weights of the epoch whose validation loss was lowest; else with those of the last.
    also_saved: what learns along with the module, such as an adversary.
    methods: names of the module's methods that the loss calls instead of the module.
    clips_per_epoch: as many are chosen anew by chance; None takes all.
    inspect: looks at the module after each epoch, in evaluation mode, once it has had the steps to learn anything; raises
    TextureError when it has gone wrong.
    """

    settings: Settings
    folder: Path
    seed: int
    label: str
    keeps_best: bool = True
    also_saved: HasState | None = None
    methods: Sequence[str] = ()
    inspect: Callable[[nn.Module], None] | None = None
    clips_per_epoch: int | None = None


def fit(module: nn.Module, loss: Loss, train: Clips, validation: Clips, training: Training, fabric: Fabric) -> State:
    """Train `module`. Goes on from `folder/last.ckpt` where there is one.

    Writes last.ckpt, history.csv and TensorBoard events after every epoch.
    Errors: TextureError when the loss is no longer a number.
    """
    result = fabric.launch(cast("Any", _Run(loss, train, validation, training)), module)
    if isinstance(result, TextureError):
        raise result
    # Where other processes trained, the module here has not changed yet.
    module.to("cpu")
    state = replace(result, kept_weights={name: torch.from_numpy(value) for name, value in result.kept_weights.items()})
    module.load_state_dict(state.kept_weights)
    module.eval()
    return state


class _Run:
    """What each process does with the module, which Fabric gives each a copy of. The rest is one object, since Fabric would
    look for tensors inside of any other collection."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def __call__(self, fabric: Fabric, module: nn.Module) -> State | TextureError:
        # Returned, not raised: an exception that ends a spawned process arrives as the text of a traceback.
        try:
            state = _fit(fabric, module, *self._arguments)
        except TextureError as error:
            return error
        finally:
            # Not left to the end of the process: a thread of the group that wants Python when Python is gone aborts.
            if fabric.world_size > 1:
                torch.distributed.destroy_process_group()
        # As arrays: what torch shares between processes is gone when this one ends.
        return replace(state, kept_weights={name: value.numpy() for name, value in state.kept_weights.items()})


def _fit(fabric: Fabric, module: nn.Module, loss: Loss, train: Clips, validation: Clips, training: Training) -> State:
    settings, folder = training.settings, training.folder
    optimizer: torch.optim.Optimizer = _optimizer(module, settings)
    wrapped, optimizer = fabric.setup(module, optimizer)
    for method in training.methods:
        wrapped.mark_forward_method(method)
    # Only now: the module is on its device, and the optimizer's state must follow it there.
    learning: dict[str, HasState] = {"weights": module, "optimizer": optimizer}
    if training.also_saved is not None:
        learning["also_saved"] = training.also_saved
    state = resume(folder / "last.ckpt", State, learning)
    fabric.barrier()  # all have read it before the first process writes another
    n_clips_per_epoch = min(training.clips_per_epoch or len(train), len(train))
    n_batches = len(_batches(n_clips_per_epoch, settings.batch_size, fabric.world_size))

    with TrainingLog(folder, state.epoch, fabric.is_global_zero) as journal:
        bar = progress(
            range(state.epoch, settings.epochs), training.label, total=settings.epochs, unit="epoch", initial=state.epoch
        )
        for epoch in bar if fabric.is_global_zero else range(state.epoch, settings.epochs):
            if _has_waited(state, settings):
                break
            # Each epoch's order and draws come from (seed, epoch), so a resumed run sees what an unbroken one would.
            order = np.random.default_rng([training.seed, epoch]).permutation(len(train))[:n_clips_per_epoch]
            torch.manual_seed(training.seed * 100_003 + epoch + 1_000_000_007 * fabric.global_rank)
            wrapped.train()
            total, n_clips = 0.0, 0
            for step, batch in enumerate(_read(train, order, settings.batch_size, fabric)):
                _set_learning_rate(optimizer, settings, epoch, step / n_batches)
                value = loss(wrapped, *batch)
                fabric.backward(value)
                optimizer.step()
                optimizer.zero_grad()
                total += float(value.detach()) * len(batch[0])
                n_clips += len(batch[0])
            losses = {
                "train_loss": _mean_over_processes(total, n_clips, fabric),
                "validation_loss": evaluate(wrapped, loss, validation, settings.batch_size, training.seed, fabric),
            }
            if not all(math.isfinite(value) for value in losses.values()):
                raise TextureError(
                    f"{training.label}: the loss is no longer a number in epoch {epoch + 1}; lower the learning rate"
                )
            has_begun = (epoch + 1) * n_batches >= _STEPS_TO_BEGIN or epoch + 1 == settings.epochs
            if training.inspect and has_begun:
                training.inspect(module)

            if not training.keeps_best or losses["validation_loss"] < state.kept_loss:
                state.kept_epoch, state.kept_loss = epoch, losses["validation_loss"]
                state.kept_weights = {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}
            state.history.append({"epoch": epoch + 1, **losses})
            state.epoch = epoch + 1
            # asdict copies the kept weights too, so nothing in the file is tied to the weights that go on changing.
            journal.write(state.epoch, asdict(state), state.history, learning)
            bar.set_postfix({name: f"{value:.4f}" for name, value in losses.items()})
    return state


def _optimizer(module: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    if settings.weight_decay:
        return torch.optim.AdamW(module.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    return torch.optim.Adam(module.parameters(), lr=settings.learning_rate)


def _set_learning_rate(optimizer: torch.optim.Optimizer, settings: Settings, epoch: int, share_of_epoch: float) -> None:
    by_epoch = settings.schedule == "cosine"
    share = (epoch if by_epoch else epoch + share_of_epoch) / settings.epochs
    set_learning_rate(optimizer, [settings.learning_rate], settings.schedule, share)


def _has_waited(state: State, settings: Settings) -> bool:
    """-> whether the validation loss has not fallen for `patience` epochs."""
    return settings.patience is not None and state.epoch - (state.kept_epoch + 1) >= settings.patience


def _batches(n_clips: int, batch_size: int, n_processes: int) -> list[slice]:
    """-> of an epoch's order. A last batch that would give a process fewer than two clips cannot be batch-normalised."""
    slices = [slice(start, start + batch_size) for start in range(0, n_clips, batch_size)]
    left = n_clips - slices[-1].start
    return slices[:-1] if len(slices) > 1 and left < 2 * n_processes else slices


def _read(clips: Clips, order: np.ndarray, batch_size: int, fabric: Fabric) -> Iterator[tuple[torch.Tensor, ...]]:
    """Yield this process's part of each batch, on its device."""
    for rows in _batches(len(order), batch_size, fabric.world_size):
        batch = clips.batch(order[rows][fabric.global_rank :: fabric.world_size])
        yield tuple(tensor.to(fabric.device) for tensor in batch)


@torch.no_grad()
def evaluate(module: nn.Module, loss: Loss, clips: Clips, batch_size: int, seed: int, fabric: Fabric) -> float:
    """-> the mean loss over all of `clips`, with the module in evaluation mode, and with the same draws at every call."""
    module.eval()
    torch.manual_seed(seed)
    total, n_clips = 0.0, 0
    order = np.arange(len(clips))
    for start in range(0, len(clips), batch_size):
        rows = order[start : start + batch_size][fabric.global_rank :: fabric.world_size]
        if len(rows):
            batch = tuple(tensor.to(fabric.device) for tensor in clips.batch(rows))
            total += float(loss(module, *batch)) * len(rows)
            n_clips += len(rows)
    return _mean_over_processes(total, n_clips, fabric)


def _mean_over_processes(total: float, n_clips: int, fabric: Fabric) -> float:
    if fabric.world_size == 1:
        return total / n_clips
    sums = fabric.all_reduce(torch.tensor([total, float(n_clips)], dtype=torch.float64, device=fabric.device), reduce_op="sum")
    return float(sums[0] / sums[1])


@torch.inference_mode()
def predict(module: nn.Module, inputs: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """inputs: [clips, ...] -> [clips, outputs] float32, with the module in evaluation mode."""
    module.eval()
    device = next(module.parameters()).device
    batches = (inputs[start : start + batch_size] for start in range(0, len(inputs), batch_size))
    return np.concatenate([module(torch.from_numpy(np.array(batch)).to(device)).cpu().numpy() for batch in batches])

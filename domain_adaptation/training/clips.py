"""Train a module on clips: how its batches are drawn, epoch by epoch. The loop itself is
texturelib.learning.loop."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from texturelib.learning.checkpoint import HasState
from texturelib.learning.loop import Plan, State, train, validate
from texturelib.learning.schedule import Schedule
from texturelib.learning.trainable import Batch, Group, Losses, Trainable


class Rows(Protocol):
    """An array, or an object that is indexed like one along its first axis."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: np.ndarray, /) -> np.ndarray: ...


Loss = Callable[..., torch.Tensor]
"""A loss function: (module, *a batch's tensors) -> a scalar."""


_STEPS_TO_BEGIN = 50  # a batch normalisation has forgotten its first guess then, to half a percent


class Settings(Protocol):
    """The settings of a training in a config."""

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
    """Selected rows of some arrays, read a batch at a time."""

    def __init__(self, indices: np.ndarray, *arrays: Rows) -> None:
        """Select rows. indices: [clips], into the first axis of each of `arrays`."""
        self._indices = indices
        self._arrays = arrays

    def __len__(self) -> int:
        return len(self._indices)

    def batch(self, rows: np.ndarray) -> tuple[torch.Tensor, ...]:
        """Return one tensor [batch, ...] per array. rows: [batch], of these clips."""
        chosen = self._indices[rows]
        return tuple(
            torch.from_numpy(np.ascontiguousarray(array[chosen])) for array in self._arrays
        )


@dataclass(frozen=True)
class Training:
    """The parts of a training besides the module and its clips.

    keeps_best: whether it ends with the weights of the epoch whose validation loss was lowest,
    rather than with those of the last. also_saved: what learns along with the module, such as an
    adversary. methods: names of the module's methods that the loss calls instead of the module.
    clips_per_epoch: number of clips that are drawn at random in each epoch; None takes all.
    inspect: checks the module after each epoch, in evaluation mode, once it has had the steps to
    learn anything; raises TextureError when it has gone wrong.
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


def train_on_clips(
    module: nn.Module,
    loss: Loss,
    train_clips: Clips,
    validation: Clips,
    training: Training,
    fabric: Fabric,
) -> State:
    """Train `module`, with a checkpoint after every epoch. It resumes from `folder/last.ckpt` where
    there is one.

    Returns: how it went; row `i` of the history is epoch `i + 1`.
    Errors: TextureError when the loss is no longer a number.
    """
    settings = training.settings
    n_processes = getattr(fabric.strategy, "num_processes", 1)
    by_epochs = _ByEpochs(module, loss, train_clips, validation, training, n_processes)
    n_steps = settings.epochs * by_epochs.n_batches
    plan = Plan(
        training.folder,
        training.label,
        n_steps,
        by_epochs.n_batches,
        steps_per_epoch=by_epochs.n_batches,
        counts="epoch",
        keeps_best=training.keeps_best,
        patience=settings.patience,
        at_checkpoint=partial(_inspect, training.inspect, module, n_steps)
        if training.inspect
        else None,
    )
    return train(by_epochs, plan, fabric)


def _inspect(
    inspect: Callable[[nn.Module], None], module: nn.Module, n_steps: int, step: int
) -> None:
    if step >= _STEPS_TO_BEGIN or step == n_steps:
        inspect(module)


def validation_loss(
    module: nn.Module, loss: Loss, clips: Clips, training: Training, fabric: Fabric
) -> float:
    """Return the mean loss over all of `clips`, in evaluation mode, with the same random numbers at
    every call."""
    return validate(
        _ByEpochs(module, loss, clips, clips, training, 1), module, [_ByEpochs.GROUP], fabric
    )["validation_loss"]


class _ByEpochs(Trainable):
    """A training with one loss and one optimizer, Adam. Each epoch's order and random numbers
    depend on (seed, epoch) alone."""

    GROUP = "module"

    def __init__(
        self,
        module: nn.Module,
        loss: Loss,
        clips: Clips,
        held_out: Clips,
        training: Training,
        n_processes: int,
    ) -> None:
        self.module = module
        self.methods = training.methods
        self._loss, self._clips, self._held_out, self._training = loss, clips, held_out, training
        self._n_clips = min(training.clips_per_epoch or len(clips), len(clips))
        self._batches = _batches(self._n_clips, training.settings.batch_size, n_processes)
        self._order = -1, np.zeros(0, dtype=np.int64)

    @property
    def n_batches(self) -> int:
        """The number of batches in an epoch."""
        return len(self._batches)

    def groups(self) -> Mapping[str, Group]:
        return {
            self.GROUP: Group(
                _optimizer(self.module, self._training.settings), self._training.settings.schedule
            )
        }

    def batch(self, number: int, mine: slice) -> Batch:
        epoch, place = divmod(number, self.n_batches)
        return self._clips.batch(self._order_of(epoch)[self._batches[place]][mine])

    def _order_of(self, epoch: int) -> np.ndarray:
        if self._order[0] != epoch:
            rng = np.random.default_rng([self._training.seed, epoch])
            self._order = epoch, rng.permutation(len(self._clips))[: self._n_clips]
        return self._order[1]

    def validation(self, mine: slice) -> Iterable[Batch]:
        order = np.arange(len(self._held_out))
        for start in range(0, len(order), self._training.settings.batch_size):
            rows = order[start : start + self._training.settings.batch_size][mine]
            if len(rows):
                yield self._held_out.batch(rows)

    def losses(self, module: nn.Module, batch: Batch, group: str) -> Losses:  # noqa: ARG002 (there is one)
        return {"loss": self._loss(module, *batch)}

    def also_saved(self) -> Mapping[str, HasState]:
        return {"objective": self._training.also_saved} if self._training.also_saved else {}

    def seed(self, number: int) -> int | None:
        epoch, place = divmod(number, self.n_batches)
        return self._training.seed * 100_003 + epoch if place == 0 else None

    def validation_seed(self) -> int | None:
        return self._training.seed


def _optimizer(module: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    if settings.weight_decay:
        return torch.optim.AdamW(
            module.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
    return torch.optim.Adam(module.parameters(), lr=settings.learning_rate)


def _batches(n_clips: int, batch_size: int, n_processes: int) -> list[slice]:
    """Return the batches of an epoch, as slices of its order.

    A last batch that would give a process fewer than two clips is left out, since it cannot be
    batch-normalised.
    """
    slices = [slice(start, start + batch_size) for start in range(0, n_clips, batch_size)]
    left = n_clips - slices[-1].start
    return slices[:-1] if len(slices) > 1 and left < 2 * n_processes else slices


@torch.inference_mode()
def predict(module: nn.Module, inputs: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Return the outputs of a module in evaluation mode.

    inputs: [clips, ...] -> [clips, outputs] float32.
    """
    module.eval()
    device = next(module.parameters()).device
    batches = (inputs[start : start + batch_size] for start in range(0, len(inputs), batch_size))
    return np.concatenate(
        [module(torch.from_numpy(np.array(batch)).to(device)).cpu().numpy() for batch in batches]
    )

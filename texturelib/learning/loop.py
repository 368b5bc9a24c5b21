"""The training loop of everything that learns, read from top to bottom."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from texturelib.errors import TextureError
from texturelib.learning._generators import generators, set_generators
from texturelib.learning._old_checkpoints import upgraded
from texturelib.learning._processes import average_gradients, in_the_first, of_all, share_buffers
from texturelib.learning.checkpoint import HasState, resume
from texturelib.learning.precision import InPrecision
from texturelib.learning.schedule import set_learning_rate
from texturelib.learning.trainable import Trainable
from texturelib.learning.training_log import TrainingLog
from texturelib.progress import progress


@dataclass(frozen=True)
class Plan:
    """The length of a training, its output folder, and what it keeps.

    Attributes:
        folder: receives last.ckpt, history.csv and TensorBoard events.
        label: what progress and errors call the training.
        n_steps: number of steps of the training.
        checkpoint: number of steps from one checkpoint to the next; the last step is one, too. At
            each, the held-out clips are validated, and a stopped training resumes from it.
        steps_per_epoch: number of steps per epoch; 1 where there are no epochs.
        counts: what history.csv counts, "epoch" (one checkpoint is one epoch) or "step".
        keeps_best: the training ends with the weights of the checkpoint whose validation_loss was
            lowest; else the last.
        patience: stop when validation_loss has not fallen for so many checkpoints; None never does.
        learning_rate: name of the setting to lower, for errors.
        at_checkpoint: called at every checkpoint, before it is written, with the number of steps,
            the module in evaluation mode. A TextureError ends the training.
        after_step: called after every step with the number of steps. Both are called in the first
            process alone.
    """

    folder: Path
    label: str
    n_steps: int
    checkpoint: int
    steps_per_epoch: int = 1
    counts: Literal["epoch", "step"] = "step"
    keeps_best: bool = False
    patience: int | None = None
    learning_rate: str = "the learning rate"
    at_checkpoint: Callable[[int], None] | None = None
    after_step: Callable[[int], None] | None = None

    def share(self, step: int, by_epoch: bool) -> float:
        """Return the share of the training that is over, 0..1; by_epoch: its value at the
        beginning of the epoch."""
        epoch, place = divmod(step, self.steps_per_epoch)
        return (epoch if by_epoch else epoch + place / self.steps_per_epoch) / (
            self.n_steps / self.steps_per_epoch
        )

    def where(self, step: int) -> str:
        return (
            f"in epoch {step // self.steps_per_epoch + 1}"
            if self.counts == "epoch"
            else f"at step {step + 1}"
        )


@dataclass
class State:
    """The progress of a training.

    Attributes:
        step: number of steps done.
        history: one row per checkpoint: epoch or step, then the losses by name.
        kept_row: the row of `history` whose weights are kept, -1 before the first.
        kept_loss: its validation_loss; nan where there is no loss of that name.
        kept_weights: those weights, where they need not be the last ones.
    """

    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    kept_row: int = -1
    kept_loss: float = math.inf
    kept_weights: dict[str, Any] = field(default_factory=dict)


def train(trainable: Trainable, plan: Plan, fabric: Fabric) -> State:
    """Train a module. Resumes from `plan.folder/last.ckpt` where there is one, and ends as if it
    had never been stopped.

    Afterwards the module is on the CPU, in evaluation mode, with the weights that were kept.

    Returns: the progress at the end.
    Errors: TextureError when a loss is no longer a number, or last.ckpt is from another training.
    """
    module = trainable.module
    result = fabric.launch(cast("Any", _Process(trainable, plan)), module)
    if isinstance(result, TextureError):
        raise result
    state, weights = result
    # Where other processes trained, the module in this process has not changed yet.
    module.to("cpu")
    module.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    module.eval()
    return state


class _Process:
    """The part of a training that runs in each process. It keeps everything but the module in
    one object, since Fabric copies the module and would look for tensors inside of any other
    collection."""

    def __init__(self, trainable: Trainable, plan: Plan) -> None:
        self._trainable = trainable
        self._plan = plan

    def __call__(
        self, fabric: Fabric, module: nn.Module
    ) -> "tuple[State, dict[str, np.ndarray]] | TextureError":
        # Returned, not raised: an exception that ends a spawned process arrives as the text of a
        # traceback.
        try:
            state = _train(fabric, self._trainable, self._plan)
        except TextureError as error:
            return error
        finally:
            # Not left to the end of the process: a thread of the group that needs Python when
            # Python is gone aborts.
            if fabric.world_size > 1:
                torch.distributed.destroy_process_group()
        weights, state.kept_weights = state.kept_weights or module.state_dict(), {}
        # As arrays: what torch shares between processes is gone when this one ends.
        return state, {name: value.detach().cpu().numpy() for name, value in weights.items()}


def _train(fabric: Fabric, trainable: Trainable, plan: Plan) -> State:
    module, groups = trainable.module, trainable.groups()
    rates = {
        name: [part["lr"] for part in group.optimizer.param_groups]
        for name, group in groups.items()
    }
    # Where nothing is trained there may be no weights at all, and no gradients to share.
    if groups:
        fabric.setup_module(module)
    else:
        module.to(fabric.device)
    called = cast("nn.Module", InPrecision(module, trainable.methods, fabric))
    optimizers = {
        name: cast("Any", fabric.setup_optimizers(group.optimizer))
        for name, group in groups.items()
    }

    # Only now: the module is on its device, and what is saved with it must follow it there.
    own = _OfEachProcess(trainable.also_saved(), fabric)
    learning: dict[str, HasState] = {
        "weights": module,
        **{f"optimizer of {name}": optimizer for name, optimizer in optimizers.items()},
        "of each process": own,
    }
    upgrade = partial(
        upgraded,
        groups=list(groups),
        also_saved=list(own.parts),
        steps_per_epoch=plan.steps_per_epoch,
    )
    state = resume(plan.folder / "last.ckpt", State, learning, upgrade)
    fabric.barrier()  # all have read it before the first process writes another
    number = state.step * sum(group.n_steps for group in groups.values())
    mine = slice(fabric.global_rank, None, fabric.world_size)
    means = _Means()

    begins_at = len(state.history) if plan.counts == "epoch" else state.step
    with TrainingLog(plan.folder, begins_at, fabric.is_global_zero) as log:
        steps = range(state.step, plan.n_steps)
        bar = progress(steps, plan.label, plan.n_steps, "step", state.step)
        for step in bar if fabric.is_global_zero else steps:
            if (
                plan.patience is not None
                and len(state.history) - (state.kept_row + 1) >= plan.patience
            ):
                break
            for name, group in groups.items():
                optimizer = optimizers[name]
                share = plan.share(step, by_epoch=group.schedule == "cosine")
                set_learning_rate(optimizer, rates[name], group.schedule, share)
                module.train()
                for _ in range(group.n_steps):
                    _seed(trainable.seed(number), fabric)
                    batch = fabric.to_device(trainable.batch(number, mine))
                    losses = trainable.losses(called, batch, name)
                    loss = _sum(losses.values())
                    optimizer.zero_grad()
                    fabric.backward(loss)
                    mean_loss = average_gradients(optimizer, loss, fabric)
                    if not math.isfinite(mean_loss):
                        raise _no_number(plan, step)
                    if group.gradient_norm is not None:
                        norm = fabric.clip_gradients(
                            module,
                            optimizer,
                            max_norm=group.gradient_norm,
                            error_if_nonfinite=False,
                        )
                        # A loss may be a number where its slope no longer is one.
                        if norm is not None and not math.isfinite(norm):
                            raise _no_number(plan, step)
                    optimizer.step()
                    share_buffers(module, fabric)
                    means.add(losses, len(batch[0]))
                    number += 1
            trainable.after_step(step + 1)
            if plan.after_step and fabric.is_global_zero:
                plan.after_step(step + 1)
            if (step + 1) % plan.checkpoint and step + 1 < plan.n_steps:
                continue

            with _own_chance(fabric):
                at_hand = means.row("train", fabric) | validate(
                    trainable, called, list(groups), fabric
                )
                if not all(math.isfinite(value) for value in at_hand.values()):
                    raise _no_number(plan, step)
                # Before it is written: what is stopped here is done again with the steps that led
                # to it.
                if plan.at_checkpoint:
                    in_the_first(partial(plan.at_checkpoint, step + 1), fabric)
            at = len(state.history) + 1 if plan.counts == "epoch" else step + 1
            _keep({plan.counts: at, **at_hand}, module, state, plan)
            state.step, means = step + 1, _Means()
            own.gather()
            # asdict copies the kept weights too, so nothing in the file is tied to the weights that
            # go on changing.
            log.write(at, asdict(state), state.history, learning)
            bar.set_postfix({name: f"{value:.4f}" for name, value in at_hand.items()})
    return state


@torch.no_grad()
def validate(
    trainable: Trainable, module: nn.Module, groups: Sequence[str], fabric: Fabric
) -> dict[str, float]:
    """Compute the losses of the held-out clips, with the module in evaluation mode.

    Args:
        module: as `Trainable.losses` is given it.
        groups: names of the groups of parameters whose losses are wanted. Where there are none,
            `Trainable.losses` is asked once, for the group "".

    Returns: means over all of these clips, as "validation_loss" or "validation_NAME_loss".
    """
    module.eval()
    seed = trainable.validation_seed()
    if seed is not None:
        torch.manual_seed(seed)
    means = _Means()
    for batch in trainable.validation(slice(fabric.global_rank, None, fabric.world_size)):
        on_device = fabric.to_device(batch)
        for name in groups or [""]:
            means.add(trainable.losses(module, on_device, name), len(batch[0]))
    return means.row("validation", fabric)


def _keep(row: dict[str, float], module: nn.Module, state: State, plan: Plan) -> None:
    """Add a checkpoint to the history; keep its weights if they are the best."""
    loss = row.get("validation_loss", math.nan)
    if not plan.keeps_best or loss < state.kept_loss:
        state.kept_row, state.kept_loss = len(state.history), loss
        now = module.state_dict() if plan.keeps_best else {}  # the last weights are saved anyway
        state.kept_weights = {name: value.detach().cpu().clone() for name, value in now.items()}
    state.history.append(row)


class _Means:
    """Mean losses since the last checkpoint, over the clips of all processes."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, int]] = {}

    def add(self, losses: Mapping[str, torch.Tensor], n_clips: int) -> None:
        for name, value in losses.items():
            total, n_before = self._sums.get(name, (0.0, 0))
            self._sums[name] = (total + float(value.detach()) * n_clips, n_before + n_clips)

    def row(self, part: str, fabric: Fabric) -> dict[str, float]:
        """Return the columns of history.csv. part: "train" or "validation"."""
        means: dict[str, tuple[float, int]] = {}
        for sums in of_all(self._sums, fabric):
            for name, (total, n_clips) in sums.items():
                before, n_before = means.get(name, (0.0, 0))
                means[name] = (before + total, n_before + n_clips)
        return {_column(part, name): total / n_clips for name, (total, n_clips) in means.items()}


def _column(part: str, name: str) -> str:
    return f"{part}_loss" if name == "loss" else f"{part}_{name}_loss"


class _OfEachProcess:
    """State that each process has of its own: torch's random generators, the scale of
    half-precision losses, what a trainable saves."""

    def __init__(self, parts: Mapping[str, HasState], fabric: Fabric) -> None:
        self.parts = parts
        self._fabric = fabric
        self._states: list[dict[str, Any]] = []

    def gather(self) -> None:
        """Collect the states of all processes. Called in every process, before the first one
        writes them."""
        saved = {name: part.state_dict() for name, part in self.parts.items()}
        own = {
            "generators": generators(self._fabric.device),
            "precision": self._fabric.strategy.precision.state_dict(),
            "also saved": saved,
        }
        self._states = of_all(own, self._fabric)

    def state_dict(self) -> dict[str, Any]:
        return {"states": self._states}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        states = state["states"]
        # With another number of processes than before, the first one's is the nearest to what each
        # had.
        own = states[self._fabric.global_rank if len(states) == self._fabric.world_size else 0]
        for name, part in self.parts.items():
            part.load_state_dict(own["also saved"][name])
        if own["precision"]:
            self._fabric.strategy.precision.load_state_dict(own["precision"])
        set_generators(own["generators"], self._fabric.device)


def _sum(losses: Iterable[torch.Tensor]) -> torch.Tensor:
    first, *others = losses
    for other in others:
        first = first + other
    return first


def _seed(seed: int | None, fabric: Fabric) -> None:
    if seed is not None:
        torch.manual_seed(seed + 1_000_000_007 * fabric.global_rank)


def _own_chance(fabric: Fabric) -> AbstractContextManager[None]:
    """Return a context that restores the states of torch's generators when it ends."""
    devices = [fabric.device] if fabric.device.type == "cuda" else []
    return torch.random.fork_rng(devices=devices)


def _no_number(plan: Plan, step: int) -> TextureError:
    return TextureError(
        f"{plan.label}: the loss is no longer a number {plan.where(step)}; lower {plan.learning_rate}"
    )

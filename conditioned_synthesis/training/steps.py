"""The training loop of every synthesiser."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from conditioned_synthesis.data.clips import Sounds
from conditioned_synthesis.synthesisers import Synthesiser
from texturelib.errors import TextureError
from texturelib.learning.checkpoint import HasState, resume
from texturelib.learning.journal import Journal
from texturelib.learning.schedule import set_learning_rate
from texturelib.progress import progress

_MOST_VALIDATION_CLIPS = 64
_CHANCE_OF_EMPTY_STATE = 0.25


@dataclass
class State:
    """All that an interrupted training needs, beside weights and optimizer. carried: what the step before left to the next."""

    step: int = 0
    carried: Any = None
    losses: list[float] = field(default_factory=list)
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Split:
    """train, validation: [clips], rows of the sounds."""

    train: np.ndarray
    validation: np.ndarray


def split_sounds(n_clips: int, share: float, seed: int) -> Split:
    """share: of the clips that are held out, at least one."""
    order = np.random.default_rng([seed, n_clips]).permutation(n_clips)
    n_validation = max(1, round(share * n_clips))
    return Split(np.sort(order[n_validation:]), np.sort(order[:n_validation]))


def fit(
    network: nn.Module,
    sounds: Sounds,
    split: Split,
    settings: Synthesiser,
    folder: Path,
    seed: int,
    fabric: Fabric,
    at_checkpoint: Callable[[int], None],
    after_step: Callable[[int], None],
) -> State:
    """Train `network`, a SynthesisNetwork. Goes on from `folder/last.ckpt` where there is one.

    Calls `at_checkpoint(step)` at every checkpoint, the network in evaluation mode, and then writes last.ckpt, history.csv and
    TensorBoard events; `after_step(step)` after each. Every draw comes from (seed, step) alone, so a resumed training sees what
    an unbroken one would. Errors: TextureError when the loss is no longer a number.
    """
    window = cast("int", network.window)
    n_windows = min(cast("int", network.n_windows), sounds.n_samples // window)
    optimizer: torch.optim.Optimizer = torch.optim.Adam(network.parameters(), lr=settings.lr)
    wrapped, optimizer = fabric.setup(network, optimizer)
    wrapped.mark_forward_method("loss")
    learning: dict[str, HasState] = {"weights": network, "optimizer": optimizer}
    state = resume(folder / "last.ckpt", State, learning)
    carried = _on(fabric, state.carried)

    with Journal(folder, state.step) as journal:
        bar = progress(range(state.step, settings.num_steps), "training", settings.num_steps, "step", state.step)
        for step in bar:
            round_number, place = divmod(step, n_windows)
            clips, starts = _draw(sounds, split.train, settings.batch_size, window * n_windows, [seed, round_number])
            if place == 0 and _begins_anew([seed, round_number]):
                carried = None
            torch.manual_seed(seed * 1_000_003 + step)
            audio, controls = sounds.batch(clips, starts + place * window, window)
            set_learning_rate(optimizer, settings.lr, settings.schedule, step / settings.num_steps)
            wrapped.train()
            loss, carried = wrapped.loss(fabric.to_device(audio), fabric.to_device(controls), carried)
            fabric.backward(loss)
            fabric.clip_gradients(wrapped, optimizer, max_norm=settings.gradient_norm)
            optimizer.step()
            optimizer.zero_grad()
            state.losses.append(float(loss.detach()))
            after_step(step + 1)
            if not math.isfinite(state.losses[-1]):
                raise TextureError(f"training: the loss is no longer a number at step {step + 1}; lower synthesiser.lr")
            if (step + 1) % settings.checkpoint and step + 1 < settings.num_steps:
                continue

            losses = {
                "train_loss": float(np.mean(state.losses)),
                "validation_loss": validation_loss(wrapped, sounds, split.validation, window, n_windows, fabric),
            }
            state.step, state.losses, state.carried = step + 1, [], _on_cpu(carried)
            state.history.append({"step": step + 1, **losses})
            at_checkpoint(step + 1)  # first, so that what was stopped here is done again with the steps that led to it
            journal.write(step + 1, asdict(state), state.history, learning)
            bar.set_postfix({name: f"{value:.4f}" for name, value in losses.items()})
    network.to("cpu").eval()
    return state


@torch.no_grad()
def validation_loss(network: nn.Module, sounds: Sounds, clips: np.ndarray, window: int, n_windows: int, fabric: Fabric) -> float:
    """-> the mean over the first windows of these clips, at most 64 of them, with the state carried on."""
    network.eval()
    clips = clips[:_MOST_VALIDATION_CLIPS]
    losses, carried = [], None
    for place in range(n_windows):
        audio, controls = sounds.batch(clips, np.full(len(clips), place * window), window)
        loss, carried = network.loss(fabric.to_device(audio), fabric.to_device(controls), carried)  # type: ignore[operator]
        losses.append(float(loss))
    return float(np.mean(losses))


def _draw(sounds: Sounds, rows: np.ndarray, batch_size: int, n_samples: int, seed: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """-> [batch_size] clips, each as often as any other as far as that goes, and where in them to begin."""
    rng = np.random.default_rng(seed)
    turns = -(-batch_size // len(rows))
    clips = np.concatenate([rng.permutation(rows) for _ in range(turns)])[:batch_size]
    return clips, rng.integers(0, sounds.n_samples - n_samples + 1, batch_size)


def _begins_anew(seed: list[int]) -> bool:
    """-> whether other clips begin with an empty state. Mostly they follow on those before: so the network learns to play on for
    longer than any clip lasts, and to follow controls that change."""
    return seed[1] == 0 or bool(np.random.default_rng([*seed, 1]).random() < _CHANCE_OF_EMPTY_STATE)


def _on(fabric: Fabric, carried: Any) -> Any:
    return None if carried is None else fabric.to_device(carried)


def _on_cpu(carried: Any) -> Any:
    return None if carried is None else carried.detach().cpu()

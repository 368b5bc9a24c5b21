"""python -m small_gan FOLDER PROCESSES MOMENT: train it in that folder, and die at that moment.

MOMENT: "never"; "batch N" (in the middle of a step), "step N" (between checkpoints), "checkpoint N"
(before it is written). It kills its whole group with SIGKILL, as one may be killed by a machine
that needs the memory.
"""

import copy
import os
import signal
import sys
import traceback
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from texturelib.learning._one_machine import OneMachine
from texturelib.learning.checkpoint import HasState
from texturelib.learning.loop import Plan, State, train
from texturelib.learning.trainable import Batch, Group, Losses, Trainable

RATE = 1000  # Hz, of clips of one second
N_CLIPS, BATCH, N_LATENT = 24, 8, 6
CRITIC_STEPS = 3
N_STEPS, CHECKPOINT = 7, 2


def clips() -> tuple[np.ndarray, np.ndarray]:
    """Return tones in noise, [N_CLIPS, RATE], and how high each is [N_CLIPS, 1], 0..1."""
    rng = np.random.default_rng(0)
    heights = rng.random((N_CLIPS, 1))
    seconds = np.arange(RATE) / RATE
    tones = np.sin(2 * np.pi * (40 + 200 * heights) * seconds + 6 * rng.random((N_CLIPS, 1)))
    return (0.5 * tones + 0.1 * rng.standard_normal((N_CLIPS, RATE))).astype(
        np.float32
    ), heights.astype(np.float32)


class Gan(nn.Module):
    """A generator and a critic, each of which is told the control."""

    def __init__(self, has_norm: bool) -> None:
        super().__init__()
        norm = nn.BatchNorm1d(8) if has_norm else nn.Identity()
        self.generator = nn.Sequential(
            nn.Linear(N_LATENT + 1, 8 * 40), nn.ReLU(), nn.Unflatten(1, (8, 40)),
            norm, nn.ConvTranspose1d(8, 4, 5, 5), nn.ReLU(), nn.ConvTranspose1d(4, 1, 5, 5), nn.Tanh(),
        )  # fmt: skip
        self.critic = nn.Sequential(
            nn.Conv1d(2, 4, 25, 5),
            nn.LeakyReLU(0.2),
            nn.Conv1d(4, 8, 25, 5),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(8 * 35, 1),
        )

    def critic_of(self, audio: torch.Tensor, control: torch.Tensor) -> torch.Tensor:
        return self.critic(torch.stack([audio, control.expand_as(audio)], dim=1))

    def made(self, latent: torch.Tensor, control: torch.Tensor) -> torch.Tensor:
        return self.generator(torch.cat([latent, control], dim=1))[:, 0]

    def critic_losses(
        self, audio: torch.Tensor, control: torch.Tensor, latent: torch.Tensor, mix: torch.Tensor
    ) -> Losses:
        made = self.made(latent, control).detach()
        losses = {
            "critic": self.critic_of(made, control).mean() - self.critic_of(audio, control).mean()
        }
        if self.training:  # I. Gulrajani et al., "Improved training of Wasserstein GANs", 2017
            between = (mix * audio + (1 - mix) * made).requires_grad_()
            [slope] = torch.autograd.grad(
                self.critic_of(between, control).sum(), between, create_graph=True
            )
            losses["penalty"] = 10 * (slope.norm(dim=1) - 1).square().mean()
        return losses

    def generator_losses(
        self, _: torch.Tensor, control: torch.Tensor, latent: torch.Tensor, __: torch.Tensor
    ) -> Losses:
        made = self.made(latent, control)
        return {
            "generator": -self.critic_of(made, control).mean(),
            "loudness": made.detach().square().mean(),
        }


class Dying:
    """Kills its whole process group as soon as that moment has come."""

    def __init__(self, moment: str) -> None:
        self._moment = moment

    def at(self, kind: str, number: int) -> None:
        if self._moment == f"{kind} {number}":
            os.killpg(0, signal.SIGKILL)


class Training(Trainable):
    """draws_by_torch: latents come from torch's generator as it runs on, else with the batch from
    its number alone."""

    methods = ("critic_losses", "generator_losses")

    def __init__(self, dying: Dying, draws_by_torch: bool) -> None:
        torch.manual_seed(1)
        self.module = Gan(has_norm=draws_by_torch)
        self._average = copy.deepcopy(self.module.generator)
        self._audio, self._control = clips()
        self._dying, self._draws_by_torch = dying, draws_by_torch

    def groups(self) -> Mapping[str, Group]:
        critic, generator = (
            torch.optim.Adam(part.parameters(), lr=0.002, betas=(0.5, 0.9))
            for part in (self.module.critic, self.module.generator)
        )
        return {
            "critic": Group(critic, n_steps=CRITIC_STEPS),
            "generator": Group(generator, "one_cycle", gradient_norm=1.0),
        }

    def batch(self, number: int, mine: slice) -> Batch:
        self._dying.at("batch", number)
        rng = np.random.default_rng([5, number])
        rows = rng.permutation(N_CLIPS)[:BATCH]
        return self._with_chance(rows, rng, mine)

    def _with_chance(self, rows: np.ndarray, rng: np.random.Generator, mine: slice) -> Batch:
        latent, mix = (
            rng.standard_normal((len(rows), N_LATENT), np.float32),
            rng.random((len(rows), 1), np.float32),
        )
        batch = [
            torch.from_numpy(each[mine])
            for each in (self._audio[rows], self._control[rows], latent, mix)
        ]
        if self._draws_by_torch:
            batch[2] = torch.randn_like(batch[2])
        return batch

    def validation(self, mine: slice) -> Iterable[Batch]:
        yield self._with_chance(np.arange(6), np.random.default_rng(0), mine)

    def losses(self, module: nn.Module, batch: Batch, group: str) -> Losses:
        return getattr(module, f"{group}_losses")(*batch)

    def seed(self, number: int) -> int | None:
        return 3 if number == 0 else None  # from there it runs on, and is in the checkpoint

    def also_saved(self) -> Mapping[str, HasState]:
        return {"average of the generator": self._average}

    def after_step(self, step: int) -> None:  # noqa: ARG002
        with torch.no_grad():
            for average, now in zip(
                self._average.parameters(), self.module.generator.parameters(), strict=True
            ):
                average.lerp_(now, 0.3)


class Forked(OneMachine):
    """Its processes begin as copies of this one, with all that it has imported."""

    def __init__(self) -> None:
        super().__init__()
        self._start_method: Any = "fork"


def run(
    folder: Path, n_processes: int = 1, moment: str = "never", draws_by_torch: bool = True
) -> State:
    torch.set_num_threads(1)
    dying = Dying(moment)
    training = Training(dying, draws_by_torch)
    plan = Plan(
        folder,
        "small GAN",
        N_STEPS,
        CHECKPOINT,
        at_checkpoint=partial(dying.at, "checkpoint"),
        after_step=partial(dying.at, "step"),
    )
    strategy: Any = Forked() if n_processes > 1 else "auto"
    return train(training, plan, Fabric(accelerator="cpu", devices=n_processes, strategy=strategy))


def main() -> None:
    folder, n_processes, moment, chance = sys.argv[1:]
    try:
        run(Path(folder), int(n_processes), moment, chance == "torch")
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    sys.exit(0)

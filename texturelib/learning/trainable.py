"""The interface between the training loop and what it trains."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from texturelib.learning.checkpoint import HasState
from texturelib.learning.schedule import Schedule

Batch = Sequence[Any]
"""A batch: tensors, the first with one row per clip: [clips, ...]. Anything else may follow."""

Losses = Mapping[str, torch.Tensor]
"""Scalar losses by name. The one called "loss" is train_loss and validation_loss in history.csv;
another, say "critic", is train_critic_loss and validation_critic_loss."""


@dataclass(frozen=True)
class Group:
    """Parameters that one optimiser updates, and how.

    Attributes:
        optimizer: torch's, made with these parameters and with the highest learning rate of the
            schedule.
        schedule: how the learning rate runs over the whole training.
        gradient_norm: longer gradients are shortened to this; None leaves them as they are.
        n_steps: how many steps of this optimiser make one step of the training. Each has a batch of
            its own.
    """

    optimizer: torch.optim.Optimizer
    schedule: Schedule = "constant"
    gradient_norm: float | None = None
    n_steps: int = 1


class Trainable:
    """A module with everything that its training needs. Subclasses say how batches are drawn and
    what the losses are.

    The loop gives each group of parameters its turn, in the order of `groups`: it takes `n_steps`
    batches, one after the other, and with each makes the sum of the group's losses smaller. All
    groups once is one step of the training.

    Attributes:
        module: every weight that is trained or kept; one module, of which networks may be parts.
        methods: names of the module's methods that `losses` calls, besides the module itself. Like
            its call, they compute in the precision of `compute.precision`.
    """

    module: nn.Module
    methods: Sequence[str] = ()

    def groups(self) -> Mapping[str, Group]:
        """Make the optimisers and their groups. Called once, in every process that trains.

        Returns: by name, in the order in which they take their turns. None at all: no optimiser
        takes steps, and held-out clips alone have losses.
        """
        raise NotImplementedError

    def batch(self, number: int, mine: slice) -> Batch:
        """Draw a batch, always the same one for the same number.

        Args:
            number: the number of the batch, from 0; each step of an optimiser takes the next.
            mine: the rows of the batch that are for this process; all of them, where there is only
                one.

        Returns: on the CPU, with at least one row.
        """
        raise NotImplementedError

    def validation(self, mine: slice) -> Iterable[Batch]:
        """Read the held-out clips, in an order that is always the same.

        Args:
            mine: as in `batch`. Where none of a batch's rows are for this process, it leaves the
                batch out.
        """
        raise NotImplementedError

    def losses(self, module: nn.Module, batch: Batch, group: str) -> Losses:
        """Compute the losses to minimise.

        Args:
            module: `self.module` as it is to be called here. In validation it is in evaluation mode
                (`module.training` is False) and there are no gradients.
            batch: on the module's device.
            group: whose turn it is. In validation each has one, so names of different groups'
                losses should differ; "" where there are no groups.

        Returns: scalars. Their sum is made smaller; what should only be written down is detached.
        """
        raise NotImplementedError

    def also_saved(self) -> Mapping[str, HasState]:
        """Return further state that a resumed training needs: a running average of weights, a
        buffer of history, a separate adversary.

        Returns: by name, with states of plain tensors, numbers and texts. Each process saves and
        gets back its own.
        """
        return {}

    def seed(self, number: int) -> int | None:  # noqa: ARG002 (as some want to know it)
        """Return the seed of torch's generator for the batch of that number and its losses;
        None: the generator is not seeded.

        Where several processes train, the draws of each differ.
        """
        return None

    def validation_seed(self) -> int | None:
        """Return the seed for validation, after which the generator's state is restored."""
        return None

    def after_step(self, step: int) -> None:
        """Update what depends on steps, such as a running average of weights. Called in every
        process when that many steps of the training are done."""

"""Learning rate schedules."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch.optim import Optimizer

Schedule = Literal["constant", "cosine", "one_cycle"]
"""Constant; falling to zero along half a cosine; or rising over the first tenth of all steps,
then falling along half a cosine (L. N. Smith and N. Topin, "Super-convergence", 2018)."""


def set_learning_rate(
    optimizer: "Optimizer", highest: Sequence[float], schedule: Schedule, share: float
) -> None:
    """Set the learning rate of each of the optimiser's parameter groups.

    Args:
        highest: the highest rate of each group during the training.
        share: the share of the training that is over, 0..1.
    """
    factor = {"constant": _constant, "cosine": cosine, "one_cycle": one_cycle}[schedule](share)
    for group, rate in zip(optimizer.param_groups, highest, strict=True):
        group["lr"] = rate * factor


def _constant(_: float) -> float:
    return 1.0


def cosine(share: float) -> float:
    """Return the factor of the learning rate, 1 to 0. share: the share of the training that is
    over."""
    return 0.5 * (1 + math.cos(math.pi * share))


def one_cycle(share: float, warm_up: float = 0.1) -> float:
    """Return the factor of the learning rate: rising in a straight line, then falling along half
    a cosine. share: the share of the training that is over.

    >>> [round(one_cycle(share), 2) for share in (0.0, 0.05, 0.1, 0.55, 1.0)]
    [0.04, 0.52, 1.0, 0.5, 0.0]
    """
    if share < warm_up:
        return 0.04 + 0.96 * share / warm_up
    return cosine((share - warm_up) / (1 - warm_up))

"""The protocol of a distribution, and the random variable from which the thesis draws its values
and volumes."""

import random
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated

from pydantic import Field

from texturelib.config import Config
from texturelib.nearest import did_you_mean
from texturelib.registry import Registry

DECIMALS = 3  # of every planned value, as in the thesis's tables

distributions = Registry("synthetic_datasets.distributions")


class Variable:
    """A value in low..high that is drawn afresh with a given probability, and else stays as it was.

    Two draws are taken from `rng` per fresh value and one at the start, whether or not it is ever
    used: the thesis's published table comes out of this stream value for value.
    """

    def __init__(self, rng: random.Random, low: float, high: float) -> None:
        self.low = low
        self.high = high
        self._rng = rng
        self._value = rng.uniform(low, high)

    def draw(self, chance_new: float) -> float:
        """Return the next value, rounded. chance_new: 0..1, the probability that it is drawn
        afresh."""
        if self._rng.choices([True, False], weights=[chance_new, 1 - chance_new])[0]:
            self._value = self._rng.uniform(self.low, self.high)
        return round(self._value, DECIMALS)


class Distribution(Config):
    """Base of the distributions: a subclass says its `type`, and its fields are its settings."""

    n_clips: Annotated[int, Field(ge=1, le=10**8)]
    """Number of clips."""

    @property
    def n_planned(self) -> int:
        """The number of clips that it makes, which may differ from `n_clips`."""
        return self.n_clips

    def check(self, controls: list[str]) -> None:
        """Check that the settings fit these controls. Errors: ValueError when they do not; any fit,
        unless a distribution says otherwise."""

    def values(
        self, variables: Mapping[str, Variable], rng: random.Random
    ) -> Iterator[dict[str, float]]:
        """Yield the control values of one clip after the other, in 0..1, rounded to DECIMALS."""
        raise NotImplementedError


def check_names(key: str, names: Collection[str], controls: list[str], example: str) -> None:
    """Check that `distribution.KEY` names exactly these controls. Errors: ValueError when it does
    not. example: a value for one."""
    for name in names:
        if name not in controls:
            raise ValueError(
                f"distribution.{key}.{name}: no control with a range {did_you_mean(name, controls)}"
            )
    for name in controls:
        if name not in names:
            raise ValueError(f"distribution.{key}: {name} is missing; give each control {example}")

"""All combinations of a few values per control ("controllable variance")."""

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
from pydantic import PositiveInt

from synthetic_datasets.distributions._base import (
    DECIMALS,
    Distribution,
    Variable,
    check_names,
    distributions,
)


@distributions.register
class UniformJoint(Distribution):
    """All combinations of a few values per control. The ratios are multiplied by 1, 2, 3, ... until
    their product is nearest to `n_clips`.

    The set then has that product of clips: every combination of linearly spaced values, the last
    control fastest, no randomness. Ratios 1:1:1:1 and 10,000 clips give 10 values each.
    """

    type: Literal["uniform_joint"] = "uniform_joint"
    ratios: dict[str, PositiveInt]
    """Number of different values of each control, relative to the others."""

    @property
    def counts(self) -> dict[str, int]:
        """The number of values of each control."""
        smallest = math.prod(self.ratios.values())
        factor = max(1, int((self.n_clips / smallest) ** (1 / len(self.ratios))))
        nearest = min(
            (factor, factor + 1), key=lambda k: abs(smallest * k ** len(self.ratios) - self.n_clips)
        )
        return {name: ratio * nearest for name, ratio in self.ratios.items()}

    @property
    def n_planned(self) -> int:
        return math.prod(self.counts.values())

    def check(self, controls: list[str]) -> None:
        check_names("ratios", self.ratios, controls, example="a whole number, such as 1")
        if math.prod(self.ratios.values()) > 10**8:
            raise ValueError(
                "distribution.ratios: their product is over a hundred million clips; give them smaller numbers"
            )

    def values(
        self, variables: Mapping[str, Variable], rng: random.Random
    ) -> Iterator[dict[str, float]]:
        grids = [
            np.linspace(variable.low, variable.high, self.counts[name]).round(DECIMALS).tolist()
            for name, variable in variables.items()
        ]
        for combination in itertools.product(*grids):
            yield dict(zip(variables, combination, strict=True))

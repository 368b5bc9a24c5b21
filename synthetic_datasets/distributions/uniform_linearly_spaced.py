"""Every control takes equally spaced values, each once, in an order of its own."""

import random
from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np

from synthetic_datasets.distributions._base import DECIMALS, Distribution, Variable, distributions


@distributions.register
class UniformLinearlySpaced(Distribution):
    """Each control takes `n_clips` equally spaced values from low to high, ends included, each
    once, in random order."""

    type: Literal["uniform_linearly_spaced"] = "uniform_linearly_spaced"
    order: Literal["shuffled", "thesis"] = "shuffled"
    """Order of the values. "thesis" draws, clip by clip, one of the remaining values of each
    control, then the clip's level: with seed 0, it gives the order and levels of the thesis's
    published table."""

    def values(
        self, variables: Mapping[str, Variable], rng: random.Random
    ) -> Iterator[dict[str, float]]:
        columns = {
            name: np.linspace(variable.low, variable.high, self.n_clips).round(DECIMALS).tolist()
            for name, variable in variables.items()
        }
        if self.order == "shuffled":
            for column in columns.values():
                rng.shuffle(column)
            for index in range(self.n_clips):
                yield {name: column[index] for name, column in columns.items()}
        else:
            for n_left in range(self.n_clips, 0, -1):
                yield {name: column.pop(rng.randrange(n_left)) for name, column in columns.items()}

"""Every control takes equally spaced values, each once, in an order of its own."""

import random
from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np

from synthetic_datasets.distributions._base import DECIMALS, Distribution, Variable, distributions


@distributions.register
class UniformLinearlySpaced(Distribution):
    """Per control `n_clips` values from low to high, ends included; each is used once, in random order."""

    type: Literal["uniform_linearly_spaced"] = "uniform_linearly_spaced"

    def values(self, variables: Mapping[str, Variable], rng: random.Random) -> Iterator[dict[str, float]]:
        columns = {}
        for name, variable in variables.items():
            column = np.linspace(variable.low, variable.high, self.n_clips).round(DECIMALS).tolist()
            rng.shuffle(column)
            columns[name] = column
        for index in range(self.n_clips):
            yield {name: column[index] for name, column in columns.items()}

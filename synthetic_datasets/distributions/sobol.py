"""Values that fill the space of all controls more evenly than chance would."""

import random
from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np

from synthetic_datasets.distributions._base import DECIMALS, Distribution, Variable, distributions


@distributions.register
class Sobol(Distribution):
    """A scrambled Sobol sequence with a dimension per control, which has neither clusters nor gaps,
    in one control or in several.

    The first clips of a longer plan are the shorter plan's. Spread is best at a power of two clips.

    Source: A. B. Owen, "Scrambling Sobol' and Niederreiter-Xing points", Journal of Complexity
    14(4), 1998.
    """

    type: Literal["sobol"] = "sobol"

    def values(
        self, variables: Mapping[str, Variable], rng: random.Random
    ) -> Iterator[dict[str, float]]:
        from scipy.stats import qmc

        sequence = qmc.Sobol(len(variables), rng=np.random.default_rng(rng.getrandbits(64)))
        # Whole powers of two, then cut.
        points = sequence.random_base2((self.n_clips - 1).bit_length())[: self.n_clips]
        low = np.array([variable.low for variable in variables.values()])
        high = np.array([variable.high for variable in variables.values()])
        for row in (low + (high - low) * points).round(DECIMALS).tolist():
            yield dict(zip(variables, row, strict=True))

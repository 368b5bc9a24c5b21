"""Independent uniform values that may stay the same for several clips in a row."""

import random
from collections.abc import Iterator, Mapping
from typing import Literal

from synthetic_datasets.distributions._base import Distribution, Variable, distributions
from texturelib.config import Share


@distributions.register
class RandomUniform(Distribution):
    """With probability `chance_new` a fresh uniform value, else the previous clip's; each control by itself."""

    type: Literal["random_uniform"] = "random_uniform"
    chance_new: Share = 1.0

    def values(self, variables: Mapping[str, Variable], rng: random.Random) -> Iterator[dict[str, float]]:
        for _ in range(self.n_clips):
            yield {name: variable.draw(self.chance_new) for name, variable in variables.items()}

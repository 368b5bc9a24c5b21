"""Independent uniform values that may stay the same for several clips in a row."""

import random
from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import PositiveInt

from synthetic_datasets.distributions._base import Variable, distributions
from texturelib.config import Config, Share


@distributions.register
class RandomUniform(Config):
    """With probability `chance_new` a fresh uniform value, else the previous clip's; each control by itself."""

    type: Literal["random_uniform"] = "random_uniform"
    n_clips: PositiveInt
    chance_new: Share = 1.0

    @property
    def n_planned(self) -> int:
        return self.n_clips

    def check(self, controls: list[str]) -> None:
        """Any controls will do."""

    def values(self, variables: Mapping[str, Variable], rng: random.Random) -> Iterator[dict[str, float]]:
        for _ in range(self.n_clips):
            yield {name: variable.draw(self.chance_new) for name, variable in variables.items()}

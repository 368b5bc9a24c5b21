"""Independent uniform values that may stay the same for several clips in a row."""

import random
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from synthetic_datasets.distributions._base import (
    Distribution,
    Variable,
    check_names,
    distributions,
)
from texturelib.config import Share


def _kind(setting: Any) -> str:
    return "by control" if isinstance(setting, dict) else "of all"


ChanceNew = Annotated[
    Annotated[Share, Tag("of all")] | Annotated[dict[str, Share], Tag("by control")],
    Discriminator(_kind),  # so that an error is about the one that was written
]


@distributions.register
class RandomUniform(Distribution):
    """Each control by itself gets a fresh uniform value with probability `chance_new`, else keeps
    the previous clip's."""

    type: Literal["random_uniform"] = "random_uniform"
    chance_new: ChanceNew = 1.0
    """Probability of a fresh value, 0 to 1; one for all controls, or one for each: `{"avgRate": 1,
    "minRadius": 0.5, ...}`."""

    def check(self, controls: list[str]) -> None:
        if isinstance(self.chance_new, dict):
            check_names("chance_new", self.chance_new, controls, example="a chance from 0 to 1")

    def values(
        self, variables: Mapping[str, Variable], rng: random.Random
    ) -> Iterator[dict[str, float]]:
        chances = (
            self.chance_new
            if isinstance(self.chance_new, dict)
            else dict.fromkeys(variables, self.chance_new)
        )
        for _ in range(self.n_clips):
            yield {name: variable.draw(chances[name]) for name, variable in variables.items()}

"""Divide a set so that what was recorded in one go never stands on two sides."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import NonNegativeInt, model_validator

from texturelib.config import Config, Share


class SplitShares(Config):
    """Shares of the segments, met as nearly as whole recordings allow."""

    train: Share
    """Share of the part "train", 0 to 1."""
    validation: Share
    """Share of the part "validation", 0 to 1."""
    test: Share
    """Share of the part "test", 0 to 1."""
    seed: NonNegativeInt = 0
    """Seed of the random order of recordings of one size."""

    @model_validator(mode="after")
    def _make_a_whole(self) -> "SplitShares":
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train, validation and test should add up to 1, and are {total:g}")
        return self

    @property
    def shares(self) -> Mapping[str, float]:
        return {"train": self.train, "validation": self.validation, "test": self.test}


def split_origins(origins: Sequence[str], config: SplitShares) -> dict[str, str]:
    """Return the part of the set that each origin belongs to. origins: of each segment.

    The largest origins come first, each to the part that lacks most; among origins of one size by
    chance.
    """
    sizes = Counter(origins)
    by_chance = np.random.default_rng(config.seed).permutation(sorted(sizes)).tolist()
    lacking = {part: share * len(origins) for part, share in config.shares.items() if share > 0}
    parts = {}
    for origin in sorted(by_chance, key=lambda each: -sizes[each]):
        part = max(lacking, key=lambda each: lacking[each])
        parts[origin] = part
        lacking[part] -= sizes[origin]
    return parts

"""Divide a set into training, validation and test clips, and write down which is which."""

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from texturelib.config import Config
from texturelib.dataset import Dataset
from texturelib.errors import TextureError
from texturelib.files import shown, write_table


class SplitConfig(Config):
    """Shares of the clips for training, validation and test; together 1."""

    train: Annotated[float, Field(gt=0, lt=1)] = 0.85
    """Share of the clips that are trained on."""
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Share of the clips for validation during training."""
    test: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of the clips for the final measurement."""

    @model_validator(mode="after")
    def _whole(self) -> "SplitConfig":
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train + validation + test is {total:g}; it should be 1")
        return self


Split = dict[str, np.ndarray]
"""The rows of the clips of each part, "train", "validation" and "test"."""


def split_clips(dataset: Dataset, config: SplitConfig, seed: int) -> Split:
    """Return a random split of the clips, each in exactly one part.

    Errors: TextureError when a part would be empty.
    """
    return split_rows(len(dataset), config, seed, shown(dataset.folder))


def split_rows(n_clips: int, config: SplitConfig, seed: int, whose: str) -> Split:
    """Return a random split of `n_clips` rows, as `split_clips`. whose: name of the clips, for the
    error."""
    order = np.random.default_rng(seed).permutation(n_clips)
    n_train, n_validation = round(config.train * n_clips), round(config.validation * n_clips)
    split = {
        "train": order[:n_train],
        "validation": order[n_train : n_train + n_validation],
        "test": order[n_train + n_validation :],
    }
    for part, indices in split.items():
        if len(indices) == 0:
            raise TextureError(
                f"{whose}: its {n_clips} clips are too few: none is left for split.{part}; add clips or raise that share"
            )
    return split


def write_split(path: Path, dataset: Dataset, split: Split) -> None:
    """Write the split as a table with the columns file_name and split."""
    part_of = np.empty(len(dataset), dtype=object)
    for part, indices in split.items():
        part_of[indices] = part
    write_table(path, dataset.metadata[["file_name"]].assign(split=part_of))

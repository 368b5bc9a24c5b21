"""The labels of a set of clips, and how they are brought to 0..1."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from texturelib.dataset import Dataset, read_dataset
from texturelib.errors import TextureError
from texturelib.files import shown

if TYPE_CHECKING:
    import pandas as pd


def read_labelled(folder: Path) -> Dataset:
    """-> a dataset that has labels. Errors: TextureError naming the table and the row."""
    dataset = read_dataset(folder)
    if not dataset.controls:
        raise TextureError(f"{shown(folder / 'metadata.csv')}: holds no labels; it should come from domain-adaptation label")
    return dataset


def label_ranges(labels: "pd.DataFrame") -> dict[str, tuple[float, float]]:
    """labels: a column per control -> by control: its smallest and its largest label."""
    return {str(name): (float(labels[name].min()), float(labels[name].max())) for name in labels.columns}


def normalise(labels: "pd.DataFrame", ranges: Mapping[str, tuple[float, float]]) -> "pd.DataFrame":
    """labels: a column per control, each within its range -> 0..1: 0 is the range's low end, 1 its high end.

    Where all labels of a control are the same (the range is a point) the result is 0.0.

    >>> import pandas as pd
    >>> normalise(pd.DataFrame({"rate": [2.0, 3.0, 4.0]}), {"rate": (2.0, 4.0)})["rate"].tolist()
    [0.0, 0.5, 1.0]
    """
    low = np.array([ranges[name][0] for name in labels.columns])
    high = np.array([ranges[name][1] for name in labels.columns])
    # Reading a table back can move a label by its last digit, so past the end of its range.
    return ((labels - low) / np.where(high > low, high - low, 1.0)).clip(0.0, 1.0)

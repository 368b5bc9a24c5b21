"""The labels of a dataset, and their normalisation to 0..1."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from texturelib.controls import Control
from texturelib.dataset import Dataset, read_dataset
from texturelib.errors import TextureError
from texturelib.files import shown

if TYPE_CHECKING:
    import pandas as pd


def read_labelled(folder: Path) -> Dataset:
    """Open a dataset that has labels. Errors: TextureError naming the table and the row."""
    dataset = read_dataset(folder)
    if not dataset.controls:
        raise TextureError(
            f"{shown(folder / 'metadata.csv')}: holds no labels; it should come from domain-adaptation label"
        )
    return dataset


def controls_of(dataset: Dataset) -> list[Control]:
    """Return the controls of a dataset, in the order of dataset.json.

    Errors: TextureError when dataset.json does not say enough of one.
    """
    for described in dataset.description["controls"]:
        for key in ("low", "high", "unit"):
            if key not in described:
                path = shown(dataset.folder / "dataset.json")
                raise TextureError(
                    f"{path}: control {described['name']} has no {key}; it needs low, high and unit"
                )
    return [Control.from_description(described) for described in dataset.description["controls"]]


def check_files(dataset: Dataset, names: Iterable[str]) -> None:
    """Check that the files that the table names exist.

    Errors: TextureError with the first that does not.
    """
    for name in names:
        if not (dataset.folder / name).is_file():
            raise TextureError(
                f"{shown(dataset.folder / name)}: no such file, but metadata.csv names it"
            )


def physical(control: Control, label: "float | np.ndarray") -> np.ndarray:
    """Return labels in the control's unit; inf for a label so far above 1 that no number stands for
    it.

    label: any shape -> the same shape.
    """
    with np.errstate(over="ignore"):
        return control.to_physical(label)


def label_ranges(labels: "pd.DataFrame") -> dict[str, tuple[float, float]]:
    """Return, by control, its smallest and its largest label. labels: a column per control."""
    return {
        str(name): (float(labels[name].min()), float(labels[name].max())) for name in labels.columns
    }


def normalise(labels: "pd.DataFrame", ranges: Mapping[str, tuple[float, float]]) -> "pd.DataFrame":
    """Return the labels normalised to 0..1: 0 is the range's low end, 1 its high end.

    labels: a column per control, each within its range.

    Where all labels of a control are the same (the range is a point) the result is 0.0.

    >>> import pandas as pd
    >>> normalise(pd.DataFrame({"rate": [2.0, 3.0, 4.0]}), {"rate": (2.0, 4.0)})["rate"].tolist()
    [0.0, 0.5, 1.0]
    """
    low = np.array([ranges[name][0] for name in labels.columns])
    high = np.array([ranges[name][1] for name in labels.columns])
    # Reading a table back can move a label by its last digit, so past the end of its range.
    return ((labels - low) / np.where(high > low, high - low, 1.0)).clip(0.0, 1.0)

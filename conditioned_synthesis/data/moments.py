"""The moments of recordings that clips are made of, by which two clips of one moment are known."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from texturelib.dataset import Dataset

_APART = 60.0  # seconds between two recordings, so that no clip could reach from one into another


@dataclass(frozen=True)
class Moments:
    """Where in recordings the layers of clips begin.

    All times are in seconds, on one line on which the recordings lie one behind the other.

    Attributes:
        begins: of each layer, 0 or more; -1 where a clip has fewer layers than others.
        speeds: seconds of the recording in a second of the clip.
        recorded: how much of its recording there is in all clips together, for each clip.

    Shape:
        begins: [clips, layers] float64
        speeds, recorded: [clips] float64
    """

    begins: np.ndarray
    speeds: np.ndarray
    recorded: np.ndarray


def moments_of(dataset: Dataset) -> Moments | None:
    """Return the moments of a dataset's clips, by the columns source, start_seconds, slow_down and
    layers_start_seconds; None where these do not say it of every clip."""
    table = dataset.metadata
    if not {"source", "start_seconds"} <= set(table.columns):
        return None
    begins = _columns(
        table["layers_start_seconds" if "layers_start_seconds" in table else "start_seconds"]
    )
    slow_down = _columns(table["slow_down"])[:, 0] if "slow_down" in table else np.ones(len(table))
    if not (np.isfinite(begins[:, 0]) & np.isfinite(slow_down) & (slow_down > 0)).all():
        return None
    speeds = 1 / slow_down
    recorded = np.zeros(len(table))
    from_here = 0.0
    for rows in table.groupby(table["source"].astype(str), sort=False).indices.values():
        first = np.nanmin(begins[rows])
        ends = np.nanmax(begins[rows] + dataset.seconds * speeds[rows, None])
        recorded[rows] = ends - first
        begins[rows] += from_here - first
        from_here += ends - first + _APART
    return Moments(np.nan_to_num(begins, nan=-1.0), speeds, recorded)


def _columns(numbers: Iterable[Any]) -> np.ndarray:
    """Return numbers that are separated by ";", NaN for what is none or missing.

    numbers: [rows] -> [rows, most numbers in a row].
    """
    rows = [[_number(part) for part in str(each).split(";")] for each in numbers]
    found = np.full((len(rows), max(map(len, rows), default=1)), np.nan)
    for row, parts in enumerate(rows):
        found[row, : len(parts)] = parts
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan

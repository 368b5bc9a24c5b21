"""Recordings, put together again from the clips that were cut from them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from texturelib.dataset import Dataset

if TYPE_CHECKING:
    import pandas as pd

Stretch = tuple[int, int]
"""The first sample of an uninterrupted stretch of a recording, and the one after its last."""


@dataclass(frozen=True)
class Recording:
    """What a dataset has of a recording.

    Attributes:
        name: of the recording.
        rows: of its clips in the dataset's table, in the order of their beginnings.
        begins: the sample of the recording at which each of them begins.
        n_samples: length of each clip.
        stretches: where clips follow one another without a gap, or a part of that.

    Shape:
        rows, begins: [clips]
    """

    name: str
    rows: np.ndarray
    begins: np.ndarray
    n_samples: int
    stretches: tuple[Stretch, ...]

    @property
    def longest(self) -> int:
        """The length of its longest stretch, in samples."""
        return max((end - begin for begin, end in self.stretches), default=0)

    def with_stretches(self, stretches: Iterable[Stretch], shortest: int) -> "Recording":
        """Return the same recording with only these stretches, without those shorter than
        `shortest` samples."""
        kept = tuple((begin, end) for begin, end in stretches if end - begin >= shortest)
        return replace(self, stretches=kept)

    def clips_of(self, begin: int, end: int) -> np.ndarray:
        """Return the positions in `rows` of the clips that have samples between `begin` and
        `end`."""
        first = np.searchsorted(self.begins, begin - self.n_samples, side="right")
        last = np.searchsorted(self.begins, end, side="left")
        return np.arange(first, last)


def recordings_of(dataset: Dataset) -> list[Recording]:
    """Return the recordings of a dataset, in the order of its table.

    Clips of one `source` that follow one another, or overlap, make up a stretch. A clip of a
    dataset without the columns `source` and `start_seconds` is a recording of its own.
    """
    return list(_recordings(dataset.metadata, dataset.sample_rate, dataset.n_samples))


def _recordings(table: "pd.DataFrame", sample_rate: int, n_samples: int) -> Iterator[Recording]:
    is_cut = {"source", "start_seconds"} <= set(table.columns)
    names = table["source" if is_cut else "file_name"].astype(str)
    begins_of_all = (
        np.rint(table["start_seconds"].to_numpy(float) * sample_rate).astype(np.int64)
        if is_cut
        else np.zeros(len(table), dtype=np.int64)
    )
    for name, rows in names.groupby(names, sort=False).indices.items():
        # Of clips that begin at one sample, the first will do.
        begins, first = np.unique(begins_of_all[rows], return_index=True)
        ends_before = begins[:-1] + n_samples
        new = np.flatnonzero(begins[1:] > ends_before) + 1
        parts = np.split(begins, new)
        stretches = tuple((int(part[0]), int(part[-1]) + n_samples) for part in parts)
        yield Recording(str(name), rows[first], begins, n_samples, stretches)

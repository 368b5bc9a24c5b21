"""Histograms of labels normalised to 0..1."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def edges(bins: int) -> np.ndarray:
    """Return the edges of the bins, [bins + 1], 0..1."""
    return np.arange(bins + 1) / bins


def bin_edges(bins: int, ends: tuple[float, float]) -> np.ndarray:
    """Return the edges of the bins as labels, [bins + 1].

    ends: the labels that were normalised to 0 and to 1.
    """
    return ends[0] + edges(bins) * (ends[1] - ends[0])


def bin_table(bins: int, ends: tuple[float, float]) -> "pd.DataFrame":
    """Return a row per bin: low and high, its edges on 0..1, and label_low and label_high, the same
    as labels.

    ends: the labels that were normalised to 0 and to 1.
    """
    import pandas as pd

    of_labels = bin_edges(bins, ends)
    columns = {
        "low": edges(bins)[:-1],
        "high": edges(bins)[1:],
        "label_low": of_labels[:-1],
        "label_high": of_labels[1:],
    }
    return pd.DataFrame({"bin": np.arange(1, bins + 1), **columns})


def bin_of(normalised: np.ndarray, bins: int) -> np.ndarray:
    """Return which of `bins` equal parts of 0..1 holds each value.

    normalised: [clips], 0..1 -> [clips] int, 0..bins - 1.

    A value on an edge is in the upper part, 1 in the last.

    >>> bin_of(np.array([0.0, 0.49, 0.5, 1.0]), 2).tolist()
    [0, 0, 1, 1]
    """
    return np.searchsorted(edges(bins)[1:-1], normalised, side="right")


def counts(normalised: np.ndarray, bins: int) -> np.ndarray:
    """Return the number of clips in each bin. normalised: [clips], 0..1 -> [bins] int."""
    return np.bincount(bin_of(normalised, bins), minlength=bins)


def evenness(counts: np.ndarray) -> float:
    """Return the histogram's entropy over that of a flat one, 0..1: 1 is flat, 0 all in one bin.

    counts: [bins].

    >>> evenness(np.array([5, 5])), evenness(np.array([9, 0]))
    (1.0, 0.0)
    """
    shares = counts[counts > 0] / counts.sum()
    return float(abs(np.sum(shares * np.log(shares))) / np.log(len(counts)))


def median_count(counts: np.ndarray) -> int:
    """Return the median count of the bins that hold any clips, rounded down; at least 1.

    counts: clips per bin, any shape, some above 0.

    >>> median_count(np.array([1, 4, 0, 4]))
    4
    """
    return int(np.median(counts[counts > 0]))


def n_balanced(counts: np.ndarray) -> int:
    """Return how many clips stay when each bin keeps the median count and bins with fewer are
    dropped.

    counts: clips per bin.

    >>> n_balanced(np.array([1, 4, 0, 5]))
    8
    """
    return int((counts >= median_count(counts)).sum()) * median_count(counts)


def most_even(normalised: "pd.DataFrame", bins: int) -> str | None:
    """Return the control whose histogram is nearest to flat, the first of equals.

    normalised: a column per control.

    None when every control has all its labels the same.
    """
    scores = {
        str(name): evenness(counts(normalised[name].to_numpy(), bins))
        for name in normalised.columns
    }
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > 0 else None

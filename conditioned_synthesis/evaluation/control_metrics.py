"""Metrics of how well sounds follow their controls, from target and measured values."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.stats import spearmanr


class Following(NamedTuple):
    """How well the sounds follow one control, played at several target values; NaN where a number
    does not exist.

    All values are positions of sliders, 0..1. rho: the rank correlation of target and measured
    values, with its sign. error: their mean absolute difference. r2: R2 of the best straight line
    through them. leakage: how far, over the whole range of targets, the straight line through
    another control's measured values rises or falls, of the control for which that is most;
    leaks_into: which that is, "" for none.
    """

    rho: float
    error: float
    r2: float
    leakage: float
    leaks_into: str


def following(control: str, asked: np.ndarray, read: Mapping[str, np.ndarray]) -> Following:
    """Return the metrics of one control.

    asked: [sounds], the target values of `control`. read: by control, the measured values,
    [sounds], NaN where a sound could not be read.
    """
    leaks = {name: leak(asked, values) for name, values in read.items() if name != control}
    known = {name: value for name, value in leaks.items() if np.isfinite(value)}
    worst = max(known, key=lambda name: known[name], default="")
    own = read.get(control, np.full(len(asked), np.nan))
    return Following(
        signed_rho(asked, own),
        mean_error(asked, own),
        straightness(asked, own),
        known.get(worst, np.nan),
        worst,
    )


def signed_rho(asked: np.ndarray, read: np.ndarray) -> float:
    """Return Spearman's rank correlation, NaN where target or measured values do not vary."""
    asked, read = _known(asked, read)
    return float(spearmanr(asked, read).statistic) if _vary(asked, read) else np.nan  # type: ignore[attr-defined]


def mean_error(asked: np.ndarray, read: np.ndarray) -> float:
    """Return the mean absolute difference of target and measured values; NaN where none is."""
    asked, read = _known(asked, read)
    return float(np.abs(read - asked).mean()) if len(asked) else np.nan


def straightness(asked: np.ndarray, read: np.ndarray) -> float:
    """Return R2 of the best straight line through the points, NaN where target or measured values
    do not vary."""
    asked, read = _known(asked, read)
    return float(np.corrcoef(asked, read)[0, 1] ** 2) if _vary(asked, read) else np.nan


def leak(asked: np.ndarray, read: np.ndarray) -> float:
    """Return how far the straight line through another control's measured values rises or falls,
    from the smallest target value to the largest.

    read: the measured values of the other control.
    """
    asked, read = _known(asked, read)
    if len(asked) < 2 or not np.ptp(asked):
        return np.nan
    return float(abs(np.polyfit(asked, read, 1)[0]) * np.ptp(asked))


def _known(asked: np.ndarray, read: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    is_known = np.isfinite(asked) & np.isfinite(read)
    return asked[is_known], read[is_known]


def _vary(asked: np.ndarray, read: np.ndarray) -> bool:
    # Beyond rounding, which the labels' tables do to six places.
    return len(asked) > 1 and bool(np.ptp(asked) > 0) and bool(np.ptp(read) > 1e-6)

"""How well sounds follow what was asked for, in numbers."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.stats import spearmanr


class Following(NamedTuple):
    """Of sounds in which one control was asked for at several values; NaN where there is no such
    number.

    All values are places on sliders, 0..1. rho: the rank correlation of asked and read, with its
    sign. error: the mean of how far they lie apart. r2: how near asked and read lie to a straight
    line, whichever it is: its R2. leakage: how far, over the whole range asked for, the straight
    line through another control's readings rises or falls, of the control for which that is most;
    leaks_into: which that is, "" for none.
    """

    rho: float
    error: float
    r2: float
    leakage: float
    leaks_into: str


def following(control: str, asked: np.ndarray, read: Mapping[str, np.ndarray]) -> Following:
    """asked: [sounds], of `control`. read: by control, [sounds], NaN where a sound could not be
    read."""
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
    """-> Spearman's rank correlation, NaN where one of both does not vary."""
    asked, read = _known(asked, read)
    return float(spearmanr(asked, read).statistic) if _vary(asked, read) else np.nan  # type: ignore[attr-defined]


def mean_error(asked: np.ndarray, read: np.ndarray) -> float:
    asked, read = _known(asked, read)
    return float(np.abs(read - asked).mean()) if len(asked) else np.nan


def straightness(asked: np.ndarray, read: np.ndarray) -> float:
    """-> R2 of the straight line through the points that is best, NaN where one of both does not
    vary."""
    asked, read = _known(asked, read)
    return float(np.corrcoef(asked, read)[0, 1] ** 2) if _vary(asked, read) else np.nan


def leak(asked: np.ndarray, read: np.ndarray) -> float:
    """read: of another control -> how far the straight line through it rises or falls from the
    least asked to the most."""
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

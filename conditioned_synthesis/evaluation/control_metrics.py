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


def following(control: str, target: np.ndarray, measured: Mapping[str, np.ndarray]) -> Following:
    """Return the metrics of one control.

    target: [sounds], the target values of `control`. measured: by control, the measured values,
    [sounds], NaN where a sound could not be measured.
    """
    leaks = {name: leak(target, values) for name, values in measured.items() if name != control}
    known = {name: value for name, value in leaks.items() if np.isfinite(value)}
    worst = max(known, key=lambda name: known[name], default="")
    own = measured.get(control, np.full(len(target), np.nan))
    return Following(
        signed_rho(target, own),
        mean_error(target, own),
        straightness(target, own),
        known.get(worst, np.nan),
        worst,
    )


def signed_rho(target: np.ndarray, measured: np.ndarray) -> float:
    """Return Spearman's rank correlation, NaN where target or measured values do not vary."""
    target, measured = _known(target, measured)
    return float(spearmanr(target, measured).statistic) if _vary(target, measured) else np.nan  # type: ignore[attr-defined]


def mean_error(target: np.ndarray, measured: np.ndarray) -> float:
    """Return the mean absolute difference of target and measured values; NaN where none is."""
    target, measured = _known(target, measured)
    return float(np.abs(measured - target).mean()) if len(target) else np.nan


def straightness(target: np.ndarray, measured: np.ndarray) -> float:
    """Return R2 of the best straight line through the points, NaN where target or measured values
    do not vary."""
    target, measured = _known(target, measured)
    return float(np.corrcoef(target, measured)[0, 1] ** 2) if _vary(target, measured) else np.nan


def leak(target: np.ndarray, measured: np.ndarray) -> float:
    """Return how far the straight line through another control's measured values rises or falls,
    from the smallest target value to the largest.

    measured: the measured values of the other control.
    """
    target, measured = _known(target, measured)
    if len(target) < 2 or not np.ptp(target):
        return np.nan
    return float(abs(np.polyfit(target, measured, 1)[0]) * np.ptp(target))


def leak_error(target: np.ndarray, measured: np.ndarray) -> float:
    """Return the standard error of what `leak` returns, by how far the measured values lie from the
    straight line; NaN for fewer than three."""
    target, measured = _known(target, measured)
    if len(target) < 3 or not np.ptp(target):
        return np.nan
    line = np.polynomial.Polynomial.fit(target, measured, 1)
    variance = float(((measured - line(target)) ** 2).sum()) / (len(target) - 2)
    return float(np.sqrt(variance / ((target - target.mean()) ** 2).sum()) * np.ptp(target))


def _known(target: np.ndarray, measured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    is_known = np.isfinite(target) & np.isfinite(measured)
    return target[is_known], measured[is_known]


def _vary(target: np.ndarray, measured: np.ndarray) -> bool:
    # Beyond rounding, which the labels' tables do to six places.
    return len(target) > 1 and bool(np.ptp(target) > 0) and bool(np.ptp(measured) > 1e-6)

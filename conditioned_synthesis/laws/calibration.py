"""Calibration of a measure on sounds whose value is known."""

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.stats import spearmanr

_BINS = 9
_LEAST_RHO = 0.3
# Of the mean slope, where the measure hardly changes with the value.
_LEAST_SLOPE = 0.2


class Calibration:
    """A curve from a measure to the value on whose average it stands.

    Args:
        measured: [clips].
        value: [clips].
    """

    def __init__(self, measured: np.ndarray, value: np.ndarray) -> None:
        is_known = np.isfinite(measured) & np.isfinite(value)
        measured, value = measured[is_known], value[is_known]
        can_be = len(value) > 2 and np.ptp(value) > 0 and np.ptp(measured) > 0
        self.rho = float(spearmanr(value, measured).statistic) if can_be else 0.0  # type: ignore[attr-defined]
        """Rank correlation of value and measure."""
        self.is_of_use = abs(self.rho) >= _LEAST_RHO
        """Whether the measure says something of the value."""
        if not self.is_of_use:
            return
        order = np.argsort(value, kind="stable")
        parts = np.array_split(order, min(_BINS, max(2, len(order) // 4)))
        places, means, counts = (
            np.array([function(part) for part in parts])
            for function in (
                lambda part: value[part].mean(),
                lambda part: measured[part].mean(),
                len,
            )
        )
        slope, start = np.polyfit(value, measured, 1)
        rising = isotonic_regression(means, weights=counts, increasing=bool(slope > 0)).x
        straight = start + slope * places
        curve = (1 - _LEAST_SLOPE) * rising + _LEAST_SLOPE * straight
        if slope < 0:
            places, curve = places[::-1], curve[::-1]
        # Beyond the first and the last clips it goes on as on the whole.
        far = np.ptp(value) + 1
        sign = np.sign(slope)
        self._places = np.concatenate([[places[0] - sign * far], places, [places[-1] + sign * far]])
        ends = abs(slope) * far
        self._curve = np.concatenate([[curve[0] - ends], curve, [curve[-1] + ends]])

    def __call__(self, measured: np.ndarray) -> np.ndarray:
        """Return values, NaN where nothing is measured or the measure says nothing of them."""
        if not self.is_of_use:
            return np.full(np.shape(measured), np.nan)
        found = np.interp(measured, self._curve, self._places)
        return np.where(np.isfinite(measured), found, np.nan)

"""Scores of labels against true controls."""

from collections.abc import Sequence

import numpy as np

Scores = dict[str, dict[str, float | None]]
"""The scores of each control: mae, r2 (None where the truth does not vary), mae_of_the_mean."""


def regression_scores(truth: np.ndarray, labels: np.ndarray, controls: Sequence[str]) -> Scores:
    """Return, per control, the mean absolute error, R2, and the error of always answering the mean.

    truth, labels: [clips, controls], 0..1.
    """
    scores = {}
    for index, name in enumerate(controls):
        true, read = truth[:, index].astype(np.float64), labels[:, index].astype(np.float64)
        variance = np.mean((true - true.mean()) ** 2)
        scores[name] = {
            "mae": float(np.abs(read - true).mean()),
            "r2": float(1 - np.mean((read - true) ** 2) / variance) if variance > 0 else None,
            "mae_of_the_mean": float(np.abs(true - true.mean()).mean()),
        }
    return scores


def mean_mae(scores: Scores) -> float:
    """Return the mean absolute error, averaged over the controls."""
    return float(np.mean([score["mae"] for score in scores.values() if score["mae"] is not None]))


def share_inside(labels: np.ndarray) -> float:
    """Return the share of labels within 0..1. labels: any shape."""
    return float(((labels >= 0) & (labels <= 1)).mean())

"""How good labels are."""

from collections.abc import Sequence

import numpy as np


def regression_scores(truth: np.ndarray, labels: np.ndarray, controls: Sequence[str]) -> dict[str, dict[str, float]]:
    """truth, labels: [clips, controls], 0..1 -> per control: mean absolute error, R2, and the mean
    absolute error of always answering the mean."""
    scores = {}
    for index, name in enumerate(controls):
        true, read = truth[:, index].astype(np.float64), labels[:, index].astype(np.float64)
        variance = np.mean((true - true.mean()) ** 2)
        scores[name] = {
            "mae": float(np.abs(read - true).mean()),
            "r2": float(1 - np.mean((read - true) ** 2) / variance) if variance > 0 else float("nan"),
            "mae_of_the_mean": float(np.abs(true - true.mean()).mean()),
        }
    return scores


def mean_mae(scores: dict[str, dict[str, float]]) -> float:
    return float(np.mean([score["mae"] for score in scores.values()]))


def share_inside(labels: np.ndarray) -> float:
    """labels: [...] -> the share of them within 0..1."""
    return float(((labels >= 0) & (labels <= 1)).mean())

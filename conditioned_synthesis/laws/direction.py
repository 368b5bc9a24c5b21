"""The direction in a space of features in which clips move with a value, whatever else varies."""

import numpy as np

_SHRINKAGE = 0.3  # of the covariance towards its diagonal: there are not many clips


class Direction:
    """The generalised least squares estimate of a value from features.

    It is right in the mean at every value, unlike a regression of the value on the features, which
    draws all towards the middle; and a change of the features as `others` make it does not count.

    Args:
        features: of the clips, [clips, features].
        value: what to read, [clips].
        others: values that should not count, [clips, others].
    """

    def __init__(self, features: np.ndarray, value: np.ndarray, others: np.ndarray) -> None:
        causes = np.column_stack([np.ones(len(value)), value, others])
        effects = np.linalg.lstsq(causes, features, rcond=None)[0]
        left = features - causes @ effects
        covariance = np.atleast_2d(np.cov(left.T))
        diagonal = np.diag(np.maximum(np.diag(covariance), 1e-12))
        covariance = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * diagonal
        moved = effects[1:].T
        weighted = np.linalg.solve(covariance, moved)
        self._weights = (weighted @ np.linalg.pinv(moved.T @ weighted))[:, 0]
        self._middle = features.mean(axis=0)
        self._value = float(value.mean())

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Return the values of sounds. features: [sounds, features] -> [sounds]."""
        return self._value + (features - self._middle) @ self._weights


def crossed_readings(features: np.ndarray, value: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the values of clips, each half of them read in the direction that the other half
    shows, as a direction always suits the clips that it is made of.

    features, value, others: see `Direction` -> [clips].
    """
    found = np.empty(len(value))
    for part in range(2):
        is_own = np.arange(len(value)) % 2 == part
        direction = Direction(features[~is_own], value[~is_own], others[~is_own])
        found[is_own] = direction(features[is_own])
    return found

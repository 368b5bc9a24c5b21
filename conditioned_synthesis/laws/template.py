"""The spectrum of a texture at its own speed, learnt from clips that are slowed down by known
factors, by which the slow-down of other sounds is read."""

import warnings

import numpy as np

from conditioned_synthesis.laws.measures import lowest
from conditioned_synthesis.laws.spectrum import STEP_OCTAVES, LogSpectrum

_ROUNDS = 8  # of means over clips and over places in turn
_LEAST_CLIPS = 3  # that show a place of the template
_LEAST_DB = 0.5
_SHIFT_OCTAVES = STEP_OCTAVES / 2
_BEYOND_OCTAVES = 1.0  # of the slow-downs that it was learnt from, as far as sounds are looked for
_LEAST_SHARE = 0.5  # of a sound's places that the template must have


class SpectrumTemplate:
    """A texture's log-frequency spectrum, wider than that of any single clip.

    Args:
        spectrum: the bands in which levels are given.
        levels_db: of the clips, [clips, bands].
        octaves: log2 of the factor by which each clip is slowed down, [clips].
    """

    def __init__(self, spectrum: LogSpectrum, levels_db: np.ndarray, octaves: np.ndarray) -> None:
        self._places = spectrum.octaves
        ends = self._places[[0, -1]] + [octaves.min(), octaves.max()]
        self._own_places = np.arange(ends[0], ends[1] + STEP_OCTAVES / 2, STEP_OCTAVES)
        moved = np.array(
            [
                np.interp(self._own_places, self._places + shift, levels, np.nan, np.nan)
                for levels, shift in zip(levels_db, octaves, strict=True)
            ]
        )
        moved[:, (~np.isnan(moved)).sum(axis=0) < _LEAST_CLIPS] = np.nan
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # where no clip has a value
            for _ in range(_ROUNDS):  # a clip that shows few places has another mean level there
                levels = np.nanmean(moved, axis=0)
                moved -= np.nanmean(moved - levels, axis=1, keepdims=True)
            self._levels = np.nanmean(moved, axis=0)
            self._chance = np.nanvar(moved, axis=0) + _LEAST_DB**2
        self._shifts = np.arange(
            octaves.min() - _BEYOND_OCTAVES, octaves.max() + _BEYOND_OCTAVES, _SHIFT_OCTAVES
        )

    def octaves(self, levels_db: np.ndarray) -> np.ndarray:
        """Return log2 of the factor by which each sound is slowed down, NaN for silence.

        Shape:
            levels_db: [sounds, bands] -> [sounds]
        """
        costs = np.full((len(levels_db), len(self._shifts)), np.nan)
        for index, shift in enumerate(self._shifts):
            expected, chance = (
                np.interp(self._places + shift, self._own_places, each, np.nan, np.nan)
                for each in (self._levels, self._chance)
            )
            is_known = np.isfinite(expected)
            if is_known.mean() < _LEAST_SHARE:
                continue
            weights = 1 / chance[is_known]
            weights /= weights.sum()
            difference = levels_db[:, is_known] - expected[is_known]
            difference -= (difference @ weights)[:, None]
            costs[:, index] = difference**2 @ weights
        return np.array([lowest(self._shifts, each) for each in costs])

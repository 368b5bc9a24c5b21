"""How far one set of sounds is slowed down, layered and amplified compared with another."""

import math
import warnings
from collections.abc import Callable

import numpy as np

from conditioned_synthesis.laws.envelopes import EnvelopeBands
from conditioned_synthesis.laws.modulations import Modulations
from conditioned_synthesis.laws.spectrum import STEP_OCTAVES, LogSpectrum
from texturelib.audio import level_dbfs

_MOST_OCTAVES = 3.0  # of a slow-down
_LEAST_SHARE = 0.3  # of all places: fewer are alike by accident
# Of the tilt of a difference, per place and squared dB: free beside what a band is known to, so that
# a slope of 10 dB over the whole band costs as much as 1 dB in each place.
_STIFFNESS = 0.01
_LEAST_DB = 0.5  # of chance in a band's level: two sets are never known better to be alike
_LEAST_MODULATION_DB = 1.0
_ERRORS = 3.0  # standard errors that a variance must be beyond that of noise


def slow_down(
    before: np.ndarray, after: np.ndarray, sample_rate: int, highest_hz: float | None = None
) -> float:
    """Return ln(k) where `after` is most like `before` played k times slower.

    The shift of the log-frequency spectrum and of the modulation spectrum that leaves the least
    difference, each place in units of its own chance. Levels do not matter, and a colouring that both
    have in common (a microphone, equal loudness) little, as far as it is a tilt.

    Args:
        before, after: two sets of sounds of one length.
        sample_rate: of the sounds, in Hz.
        highest_hz: end of the band that all have in common; None takes all.

    Shape:
        before, after: [sounds, n_samples]

    >>> rng = np.random.default_rng(0)
    >>> spectrum = np.fft.rfft(rng.normal(size=(4, 16000)))
    >>> octaves = np.log2(np.arange(1, 8002) / 1000)
    >>> low, high = (np.fft.irfft(spectrum * 10 ** (-((octaves - at) ** 2))) for at in (-0.5, 0.5))
    >>> round(float(slow_down(high, low, 16000) / np.log(2)), 1)
    1.0
    """
    spectrum = LogSpectrum(sample_rate, before.shape[1], highest_hz)
    modulations = Modulations(sample_rate, before.shape[1], highest_hz)
    before, after = (each[~np.isnan(spectrum(each)).any(axis=1)] for each in (before, after))
    if not len(before) or not len(after):
        return math.nan
    shifts = np.arange(-_MOST_OCTAVES, _MOST_OCTAVES + 1e-9, STEP_OCTAVES / 2)
    costs = np.zeros(len(shifts))
    costs += _costs(spectrum(before), spectrum(after), spectrum.shifted, shifts, _LEAST_DB)
    costs += _costs(
        modulations(before), modulations(after), modulations.shifted, shifts, _LEAST_MODULATION_DB
    )
    return math.log(2) * lowest(shifts, costs)


def mixing(
    before: np.ndarray,
    after: np.ndarray,
    sample_rate: int,
    ln_k: float = 0.0,
    highest_hz: float | None = None,
) -> float:
    """Return ln(n) where `after` is most like n independent sounds of the kind of `before`, added.

    By the relative variance of the intensity of bands beyond that of Gaussian noise, which goes as
    1/n for any process (cumulants of independent sounds add up). NaN where one of both is as steady
    as noise, as noise added to noise is noise.

    Args:
        before, after, sample_rate, highest_hz: see `slow_down`.
        ln_k: of the slow-down from `before` to `after`, which is taken out.
    """
    bands = EnvelopeBands(
        sample_rate, before.shape[1], highest_hz or sample_rate / 2, widest_ln_k=abs(ln_k)
    )
    (one, one_error), (other, other_error) = bands.excess(before), bands.excess(after, ln_k)
    is_known = (one > _ERRORS * one_error) & (other > _ERRORS * other_error)
    if not is_known.any():
        return math.nan
    return float(np.median(np.log(one[is_known] / other[is_known])))


def gain(before: np.ndarray, after: np.ndarray) -> float:
    """Return how much louder `after` is than `before`, the difference of mean levels in dB, without
    silent sounds.

    >>> sounds = np.random.default_rng(0).normal(size=(3, 1000))
    >>> round(gain(sounds, 2 * sounds), 2)
    6.02
    """
    levels = [np.array([level_dbfs(sound) for sound in sounds]) for sounds in (before, after)]
    one, other = (each[np.isfinite(each)] for each in levels)
    return float(other.mean() - one.mean()) if len(one) and len(other) else math.nan


def lowest(places: np.ndarray, costs: np.ndarray) -> float:
    """Return where a parabola through the lowest cost and its neighbours is lowest; NaN where no
    cost is known."""
    if not np.isfinite(costs).any():
        return math.nan
    at = int(np.nanargmin(costs))
    if 0 < at < len(costs) - 1 and np.isfinite(costs[at - 1 : at + 2]).all():
        left, middle, right = costs[at - 1 : at + 2]
        bend = left - 2 * middle + right
        if bend > 0:
            return float(places[at] + 0.5 * (left - right) / bend * (places[1] - places[0]))
    return float(places[at])


def _costs(
    before: np.ndarray,
    after: np.ndarray,
    shifted: Callable[[np.ndarray, float], np.ndarray],
    shifts: np.ndarray,
    least: float,
) -> np.ndarray:
    """Return how different `after` is from `before` at each shift: the mean square over the places
    that both have, in units of chance, without a constant and most of a tilt.

    before, after: [sounds, frequencies, ...], in dB.
    """
    (one, one_chance), (other, other_chance) = (
        _mean_and_chance(each, least) for each in (before, after)
    )
    # A colouring that both have leaves a tilt: it stands still while the sound moves.
    tilt = np.linspace(-1, 1, len(other)).reshape(-1, *[1] * (other.ndim - 1))
    tilt = np.broadcast_to(tilt, other.shape)
    costs = np.full(len(shifts), np.nan)
    for index, shift in enumerate(shifts):
        chance = shifted(one_chance, shift) + other_chance
        difference = other - shifted(one, shift)
        is_known = np.isfinite(difference) & np.isfinite(chance)
        n_known = int(is_known.sum())
        if n_known < _LEAST_SHARE * np.isfinite(other).sum():
            continue
        weights = 1 / chance[is_known]
        known = difference[is_known]
        lines = np.column_stack([np.ones(n_known), tilt[is_known]])
        penalty = np.diag([0.0, _STIFFNESS * n_known])
        solved = np.linalg.lstsq(
            lines.T @ (lines * weights[:, None]) + penalty, lines.T @ (weights * known), rcond=None
        )[0]
        left = known - lines @ solved
        costs[index] = ((weights * left**2).sum() + solved @ penalty @ solved) / n_known
    return costs


def _mean_and_chance(values: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the means over sounds and the squares of what they are known to."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where no sound has a value
        mean = np.nanmean(values, axis=0)
        chance = np.nanvar(values, axis=0) / len(values)
    return mean, chance + least**2

"""Measure how much louder a synthesiser must play to be as loud as the sounds that it learnt
from."""

import numpy as np

from conditioned_synthesis.data.clips import Sounds
from conditioned_synthesis.instrument.instrument import Instrument, ModelSpec
from texturelib.audio import level_dbfs
from texturelib.evenly import evenly_spread
from texturelib.progress import progress

_SOUNDS, _MOST_SOUNDS = 24, 72  # for each control, and of all
# Of each: longer than a clip, as a network that hears itself drifts from where it began.
_CLIP_LENGTHS, _MOST_SECONDS = 4, 3.0
_SHARE_OF_NEIGHBOURS = 1 / 40  # of all clips: few enough that these do have the same controls
_KNOTS = 9  # of each control: what lacks at its ends need not lack beside them
_LEAST_RANGE = 1e-3  # of a control that varies
_STIFFNESS = 0.6  # how many sounds it takes for a difference between two knots to count fully


def as_loud_as(sounds: Sounds, instrument: Instrument) -> Instrument:
    """Return the instrument with gains that bring its sounds to the level of the clips that it
    learnt from.

    Each sound is compared with the clips whose controls are nearest to its own, as a single one may
    be loud or soft by chance. The gains are a line in each control, bent at its knots, that add up
    to what the sounds lack.
    """
    places = sounds.means(np.arange(len(sounds)))
    instrument = Instrument(instrument.network, _with_loudness(instrument.spec, None))
    played = _spread_over_each_control(places)
    lacking = _lacking(sounds, played, places, instrument)
    is_heard = np.isfinite(lacking)
    if not is_heard.any():
        return instrument
    return Instrument(
        instrument.network,
        _with_loudness(instrument.spec, _fitted(places[played][is_heard], lacking[is_heard])),
    )


def _spread_over_each_control(places: np.ndarray) -> np.ndarray:
    """Return some rows: for each control, evenly spaced from its lowest to its highest value."""
    n_each = min(_SOUNDS, _MOST_SOUNDS // places.shape[1])
    ordered = [column.argsort(kind="stable") for column in places.T]
    return np.unique(np.concatenate([each[evenly_spread(len(each), n_each)] for each in ordered]))


def _lacking(
    sounds: Sounds, rows: np.ndarray, places: np.ndarray, instrument: Instrument
) -> np.ndarray:
    """Return how many dB each sound is too quiet, [rows]; nan where the clips or the sound are
    silent."""
    seconds = min(_CLIP_LENGTHS * sounds.n_samples / sounds.sample_rate, _MOST_SECONDS)
    levels = np.array([level_dbfs(sounds.samples(row)) for row in range(len(sounds))])
    n_neighbours = max(1, round(_SHARE_OF_NEIGHBOURS * len(sounds)))
    lacking = np.full(len(rows), np.nan)
    for index, row in enumerate(progress(rows, "loudness", unit="sound")):
        automations = dict(zip(instrument.spec.names, sounds.automations[row], strict=True))
        nearest = np.abs(places - places[row]).sum(axis=1).argsort(kind="stable")[:n_neighbours]
        wanted = levels[nearest][np.isfinite(levels[nearest])]
        played = level_dbfs(instrument.play(automations, seconds, seed=int(row)))
        if len(wanted) and np.isfinite(played):
            lacking[index] = wanted.mean() - played
    return lacking


def _fitted(places: np.ndarray, lacking: np.ndarray) -> list[np.ndarray | None]:
    """Return, for each control, [knots, 2]: their positions, and the dB there; None for one that
    does not vary.

    places: [sounds, controls]. lacking: [sounds].

    The least squares of what is left, and of the differences between neighbouring knots (penalised
    splines of degree 1: P. Eilers and B. Marx, "Flexible smoothing with B-splines and penalties",
    1996).
    """
    varies = np.ptp(places, axis=0) > _LEAST_RANGE
    n_varying = int(varies.sum())
    if not n_varying:
        return [None] * len(varies)
    columns = places[:, varies].T
    knots = [np.linspace(column.min(), column.max(), _KNOTS) for column in columns]
    hats = [
        np.array([np.interp(column, at, hat) for hat in np.eye(_KNOTS)]).T
        for column, at in zip(columns, knots, strict=True)
    ]
    differences = np.kron(np.eye(n_varying), np.diff(np.eye(_KNOTS), axis=0))
    mean = lacking.mean()
    unknowns = np.vstack([np.hstack(hats), np.sqrt(_STIFFNESS) * differences])
    known = np.concatenate([lacking - mean, np.zeros(len(differences))])
    # Of the many solutions (what one control has more, another can have less) the smallest.
    decibels = (
        np.linalg.lstsq(unknowns, known, rcond=None)[0].reshape(n_varying, _KNOTS)
        + mean / n_varying
    )
    fitted = iter(np.stack([knots, decibels], axis=-1))
    return [next(fitted) if each else None for each in varies]


def _with_loudness(spec: ModelSpec, lines: list[np.ndarray | None] | None) -> ModelSpec:
    points = [
        None if line is None else tuple(map(tuple, line.round(6).tolist()))
        for line in lines or [None] * len(spec.sliders)
    ]
    sliders = [
        slider.model_copy(update={"loudness": each})
        for slider, each in zip(spec.sliders, points, strict=True)
    ]
    return spec.model_copy(update={"sliders": tuple(sliders)})

"""How much louder a synthesiser must play to be as loud as the sounds that it learnt from."""

import numpy as np

from conditioned_synthesis.instrument import About, Instrument
from conditioned_synthesis.sounds import Sounds
from texturelib.audio import level_dbfs
from texturelib.evenly import evenly_spread
from texturelib.progress import progress

_SOUNDS = 24
_CLIP_LENGTHS, _MOST_SECONDS = 4, 3.0  # of each: longer than a clip, as a network that hears itself drifts from where it began
_SHARE_OF_NEIGHBOURS = 1 / 40  # of all clips: few enough that these do have the same controls
_STIFFNESS = 0.3  # how many sounds' worth of doubt there is that a control matters


def as_loud_as(sounds: Sounds, rows: np.ndarray, instrument: Instrument) -> Instrument:
    """rows: [clips], of `sounds`, whose controls are played -> the same, with gains that bring its sounds to the clips' level.

    Each sound is compared with the clips whose controls are nearest to its own, as a single one may be loud or soft by chance.
    The gains are a parabola in each control, fitted to what the sounds lack.
    """
    seconds = min(_CLIP_LENGTHS * sounds.n_samples / sounds.sample_rate, _MOST_SECONDS)
    places = np.array([[line.values.mean() for line in lines] for lines in sounds.lines])
    levels = np.array([level_dbfs(sounds.samples(row)) for row in range(len(sounds))])
    instrument = Instrument(instrument.network, _with_gains(instrument.about, np.zeros(1 + 2 * places.shape[1])))
    n_neighbours = max(1, round(_SHARE_OF_NEIGHBOURS * len(sounds)))
    played_at, lacking = [], []
    for row in progress(rows[evenly_spread(len(rows), _SOUNDS)], "loudness", unit="sound"):
        lines = dict(zip(instrument.about.names, sounds.lines[row], strict=True))
        nearest = np.abs(places - places[row]).sum(axis=1).argsort(kind="stable")[:n_neighbours]
        wanted = levels[nearest][np.isfinite(levels[nearest])]
        played = level_dbfs(instrument.play(lines, seconds, seed=int(row)))
        if len(wanted) and np.isfinite(played):
            played_at.append(places[row])
            lacking.append(wanted.mean() - played)
    if not lacking:
        return instrument
    terms = instrument.about.gain_terms(np.array(played_at))
    doubt = np.diag([0.0] + [_STIFFNESS] * (terms.shape[1] - 1))
    return Instrument(
        instrument.network, _with_gains(instrument.about, np.linalg.solve(terms.T @ terms + doubt, terms.T @ np.array(lacking)))
    )


def _with_gains(about: About, gains: np.ndarray) -> About:
    return about.model_copy(update={"gains_db": tuple(round(float(gain), 3) for gain in gains)})

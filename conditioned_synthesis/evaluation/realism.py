"""How near sounds are to real clips: in texture statistics, in an embedding, and as copies."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from conditioned_synthesis.evaluation.copying import Snippets
from conditioned_synthesis.evaluation.held_out import HeldOut
from conditioned_synthesis.evaluation.judges.embedding import EmbeddingNetwork
from conditioned_synthesis.evaluation.judges.mmd import unbiased_mmd
from texturelib.audio import mix_down
from texturelib.evenly import evenly_spread

HELD_OUT, NOISE, HALVES = "held-out clips", "white noise", "real halves"


class Real(NamedTuple):
    """How near a row's sounds are to real clips; NaN where a number does not apply to it.

    Distances are in the unit of `TextureStatistics.paired_distance`: paired: between each held-out
    clip and the sound with its controls; of_sets: between all of both. diversity: between sounds
    that differ in nothing but their seed. embedding: the unbiased squared MMD from the clips, in the
    embedding that the config names. copying: the mean greatest correlation of a snippet with the
    training clips.
    """

    paired: float = math.nan
    of_sets: float = math.nan
    diversity: float = math.nan
    embedding: float = math.nan
    copying: float = math.nan


class Realism:
    """Measures of how near sounds are to held-out clips. judge: None: no embedding is asked.

    notes: sentences about what cannot be measured.
    """

    def __init__(self, held: HeldOut, judge: EmbeddingNetwork | None) -> None:
        self._held, self._judge = held, judge
        self._texture, self.notes = held.texture_statistics()
        self._snippets = Snippets(held.sounds.samples(held.trained), held.sounds.sample_rate)
        self._clips = self._embedded(held.clips.numpy())

    def of(self, played: Path, name: str) -> Real:
        """Return the measures of a synthesiser's sounds in `played`/`name`; of held-out clips, those
        from clips that the training heard."""
        sounds = self._held.played(played, name)
        if name == HELD_OUT:
            rows = self._held.trained
            rows = rows[evenly_spread(len(rows), len(self._held.rows))]
            samples = self._held.sounds.samples
            others = self._embedded([mix_down(samples(int(row))) for row in rows])
        else:
            others = self._embedded(sounds)
        return Real(
            *self._held.distances(self._texture, played, name, sounds),
            unbiased_mmd(others, self._clips),
            self._snippets.copying(sounds),
        )

    def of_halves(self) -> Real:
        """Return the measures of one half of the held-out clips from the other."""
        clips = self._held.clips.numpy()
        copying = Snippets(clips[1::2], self._held.sounds.sample_rate).copying(clips[::2])
        return Real(
            *self._held.halves(self._texture),
            math.nan,
            unbiased_mmd(self._clips[::2], self._clips[1::2]),
            copying,
        )

    def _embedded(self, sounds: np.ndarray | list[np.ndarray]) -> np.ndarray:
        """Return embeddings, [sounds, dimensions]; none without a judge."""
        if self._judge is None:
            return np.empty((0, 0))
        return self._judge(sounds, self._held.sounds.sample_rate)

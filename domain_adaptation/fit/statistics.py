"""Texture statistics of clips, and how far clips lie from one another.

A few of those of J. McDermott and E. Simoncelli, "Sound texture perception via statistics of the
auditory periphery", Neuron 71, 2011: of the level in each band its mean, deviation and skewness over
time, the correlation with neighbouring bands, and how fast it moves. None depends on a clip's level.
Stage 4 has more of them, which can be learnt from; here they only have to tell textures apart.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from domain_adaptation.features.log_bands import LogBands

_N_BANDS = 32
_FRAMES_PER_SECOND = 100
_APART = (1, 2, 4)  # bands
_MODULATION_BANDS = 5  # each twice as fast as the one before
_LEAST_DEVIATION_DB = 0.5
_BATCH = 32


def texture_statistics(clips: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return the statistics of clips.

    clips: [clips, samples], none silent -> [kinds of statistics, clips, bands or more], each kind
    padded with zeros to the same length.
    """
    features = LogBands(
        sample_rate=sample_rate,
        n_bands=_N_BANDS,
        low_hz=50.0,
        high_hz=min(11000.0, 0.23 * sample_rate),
        frames_per_second=_FRAMES_PER_SECOND,
        narrowest_hz=30.0,
    )
    parts = []
    for start in range(0, len(clips), _BATCH):
        batch = torch.from_numpy(np.ascontiguousarray(clips[start : start + _BATCH])).float()
        decibels = features.compute(batch)[:, 0].numpy().astype(np.float64) * 25.0
        parts.append(_of_levels(decibels))
    return np.concatenate(parts, axis=1)


def _of_levels(decibels: np.ndarray) -> np.ndarray:
    """Return the statistics of levels, [clips, bands, frames] in dB."""
    mean = decibels.mean(axis=2)
    centred = decibels - mean[:, :, None]
    deviation = np.maximum(centred.std(axis=2), _LEAST_DEVIATION_DB)
    scaled = centred / deviation[:, :, None]
    skewness = (scaled**3).mean(axis=2)
    correlations = [(scaled[:, apart:] * scaled[:, :-apart]).mean(axis=2) for apart in _APART]
    power = np.abs(np.fft.rfft(scaled, axis=2)) ** 2
    least = 0.1 * decibels.shape[2] ** 2  # of a band that hardly moves, rounding is not compared
    edges = np.unique(np.geomspace(1, power.shape[2], _MODULATION_BANDS + 1).round().astype(int))
    shares = [
        power[:, :, low:high].sum(axis=2) / np.maximum(power[:, :, 1:].sum(axis=2), least)
        for low, high in pairwise(edges)
    ]
    kinds = [mean, deviation, skewness, *correlations, *shares]
    return np.stack([np.pad(kind, ((0, 0), (0, _N_BANDS - kind.shape[1]))) for kind in kinds])


@dataclass(frozen=True)
class Space:
    """A space in which every statistic has the same say. unit: of each statistic, its deviation over
    the clips that are compared."""

    unit: np.ndarray

    @classmethod
    def of(cls, statistics: np.ndarray) -> "Space":
        """Return the space in which these clips have a deviation of 1. statistics: [kinds, clips,
        values]."""
        deviation = statistics.std(axis=1, keepdims=True)
        kind = np.sqrt(np.square(deviation).mean(axis=(1, 2), keepdims=True))
        return cls(np.maximum(deviation, 0.25 * kind) + 1e-9)

    def places(self, statistics: np.ndarray) -> np.ndarray:
        """Return the places of clips, [clips, coordinates]: the root mean square of the coordinates'
        differences is their distance."""
        scaled = statistics / self.unit
        return scaled.transpose(1, 0, 2).reshape(scaled.shape[1], -1)


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the distance of every place of `one` from every place of `other`.

    one: [a, coordinates]. other: [b, coordinates] -> [a, b].
    """
    square = (
        np.square(one).sum(axis=1)[:, None] + np.square(other).sum(axis=1)[None] - 2 * one @ other.T
    )
    return np.sqrt(np.maximum(square, 0.0) / one.shape[1])


def own_spread(places: np.ndarray) -> float:
    """Return how far the clips of a set lie from the nearest other one, the median."""
    apart = distances(places, places)
    np.fill_diagonal(apart, np.inf)
    return float(np.median(apart.min(axis=1)))

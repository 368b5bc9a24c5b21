"""What each clip is made of. Clip i depends on the seed and on i alone."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from conditioned_synthesis.augmentation.labels import Change, Labels
from conditioned_synthesis.augmentation.parts import Part, Parts, part_at
from conditioned_synthesis.augmentation.recordings import Recording
from conditioned_synthesis.augmentation.settings import Augment

_MOST_DRAWS = 200
"""How often a clip is drawn again whose labels would leave 0..1."""
_DIMENSIONS = 5  # of a draw's point: size, density, level, recording, part


@dataclass(frozen=True)
class Layer:
    """A moment of a recording.

    begin: its first sample in the recording. rows: the dataset's clips that it covers. at: the
    sample of the layer at which each of them begins; negative where it began before.
    """

    begin: int
    rows: tuple[int, ...]
    at: tuple[int, ...]


@dataclass(frozen=True)
class Draw:
    """What a clip is made of.

    part: of the set. source: the recording's name. labels: by control, 0..1. n_samples: of each
    layer, at the recording's rate. overlaps: whether layers share sound with one another.
    """

    index: int
    part: Part
    source: str
    change: Change
    labels: tuple[float, ...]
    layers: tuple[Layer, ...]
    n_samples: int
    overlaps: bool


class Draws:
    """Draws what clips are made of: evenly over the ranges of size, density and level, over the
    recordings, and over the parts of the set."""

    def __init__(
        self, settings: Augment, parts: Parts, labels: Labels, samples_at_speed_1: float
    ) -> None:
        """Prepare the draws.

        Args:
            parts: recordings, all of whose stretches are long enough for the fastest clip.
            samples_at_speed_1: number of samples of a recording, not a whole one, that last as
                long as a clip.
        """
        self._settings = settings
        self._parts = parts
        self._labels = labels
        self._n_samples = samples_at_speed_1
        self._layers, self._up_to = _layers_evenly(*settings.density)
        self._points = _evenly_spread_points(settings.n_clips, settings.seed)

    def __iter__(self) -> Iterator[Draw | None]:
        """Yield the draw of each clip, or None where none was found whose labels lie in 0..1."""
        for index in range(self._settings.n_clips):
            yield self.draw(index)

    def draw(self, index: int) -> Draw | None:
        part = self._part(index, self._points[index, 4])
        point = self._points[index]
        for attempt in range(_MOST_DRAWS):
            rng = np.random.default_rng([self._settings.seed, index, attempt])
            if attempt:
                point = rng.random(_DIMENSIONS)
            change = self._change(point)
            recordings = self._parts[part]
            recording = recordings[int(point[3] * len(recordings))]
            layers = self._moments(recording, change, rng)
            labels = self._labels.moved([np.array(each.rows) for each in layers], change)
            if labels is not None:
                n_samples = self.n_samples(change)
                begins = sorted(each.begin for each in layers)
                return Draw(
                    index,
                    part,
                    recording.name,
                    change,
                    tuple(labels.round(6).tolist()),
                    tuple(layers),
                    n_samples,
                    overlaps=bool((np.diff(begins) < n_samples).any()),
                )
        return None

    def n_samples(self, change: Change) -> int:
        """Return the number of samples of a recording that a clip takes."""
        return math.ceil(self._n_samples / change.slow_down)

    def _part(self, index: int, place: float) -> Part:
        # So that a set of one clip can be trained on.
        part = part_at(place, self._settings.held_out) if index else "train"
        if part in self._parts:
            return part
        return "train" if "train" in self._parts else next(iter(self._parts))

    def _change(self, point: np.ndarray) -> Change:
        low, high = self._settings.size
        slow_down = min(high, max(low, round(low * (high / low) ** point[0], 6)))
        n_layers = self._layers[int(np.searchsorted(self._up_to, point[1], side="right"))]
        quiet, loud = self._settings.level or (0.0, 0.0)
        gain_db = round(float(quiet + (loud - quiet) * point[2]), 3)
        return Change(float(slow_down), n_layers, gain_db)

    def _moments(
        self, recording: Recording, change: Change, rng: np.random.Generator
    ) -> list[Layer]:
        """Draw a moment for each layer. They are as far apart as the recording allows, by chance:
        one in each of as many equal parts of it."""
        n_samples = self.n_samples(change)
        places = np.array([end - begin - n_samples + 1 for begin, end in recording.stretches])
        before = np.cumsum(places) - places
        n = change.layers
        shares = ((np.arange(n) + rng.random(n)) / n + rng.random()) % 1.0
        drawn = (shares * places.sum()).astype(np.int64)
        stretch = np.searchsorted(before, drawn, side="right") - 1
        first = np.array([begin for begin, _ in recording.stretches])
        begins = first[stretch] + drawn - before[stretch]
        return [_layer(recording, int(begin), n_samples) for begin in begins]


def _layer(recording: Recording, begin: int, n_samples: int) -> Layer:
    clips = recording.clips_of(begin, begin + n_samples)
    at = tuple((recording.begins[clips] - begin).tolist())
    return Layer(begin, tuple(recording.rows[clips].tolist()), at)


def _layers_evenly(low: int, high: int) -> tuple[Sequence[int], np.ndarray]:
    """Return the numbers of layers, and the shares of draws that have as many or fewer.

    Each number has the share of its place on a line of logarithms, from halfway to the number
    before to halfway to the next. So the draws are as even as whole numbers allow.

    >>> layers, up_to = _layers_evenly(1, 4)
    >>> layers, up_to.round(2).tolist()
    ([1, 2, 3, 4], [0.37, 0.66, 0.85, 1.0])
    """
    numbers = np.arange(low, high + 1)
    steps = np.diff(np.log(numbers))
    if not len(steps):
        return [low], np.ones(1)
    # The outer numbers reach as far outwards as inwards.
    widths = (np.append(steps[:1], steps) + np.append(steps, steps[-1:])) / 2
    up_to = np.cumsum(widths / widths.sum())
    up_to[-1] = 1.0
    return numbers.tolist(), up_to


def _evenly_spread_points(n: int, seed: int) -> np.ndarray:
    """Return points that fill a cube evenly, the first of them also when more are drawn.

    Source: A. B. Owen, "Scrambling Sobol' and Niederreiter-Xing points", Journal of Complexity
    14(4), 1998.

    Shape:
        -> [n, _DIMENSIONS], 0 to below 1
    """
    from scipy.stats import qmc

    sequence = qmc.Sobol(_DIMENSIONS, rng=np.random.default_rng(seed))
    return sequence.random_base2((n - 1).bit_length())[:n]  # whole powers of two, then cut

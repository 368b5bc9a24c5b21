"""The sizes of the player of Grains, in samples."""

import math
from typing import NamedTuple, Protocol

from conditioned_synthesis.dsp.interpolation import EDGE

TICK = 64
"""Number of samples that are played with the same controls."""
FRAMES_PER_UNIT = 8
INNER = {
    "cache": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
"""How functions are compiled that only compiled ones call: what others need takes a while."""
_COARSE_HZ = 12000.0  # at which waveforms are first compared


class Sizes(NamedTuple):
    """The numbers by which the player works. Lengths are in samples.

    Attributes:
        hop: from one place where a unit may begin to the next.
        unit: mean length of a unit until the next one begins.
        fade: length of a crossfade.
        search: the range in which the best place to join is searched.
        coarse: how many samples are taken for one in the first, coarse search.
        no_repeat: in which no unit comes again.
        neighbours, compared, most_layers: as the settings say.
        tolerance: as the settings say.
        ln_ratio: natural logarithm of the highest ratio of speeds.
    """

    hop: int
    unit: int
    fade: int
    search: int
    coarse: int
    no_repeat: int
    neighbours: int
    compared: int
    most_layers: int
    tolerance: float
    ln_ratio: float

    @property
    def needed(self) -> int:
        """The number of samples that a unit needs in its clip, from where it may begin: two
        crossfades at the highest speed, and all of it at its own."""
        fastest = math.exp(self.ln_ratio)
        moving = (self.search + 2 * self.fade + 3 * TICK) * fastest + 2
        return EDGE + max(math.ceil(moving), self.search + self.unit + self.fade + TICK)

    def n_starts(self, n_samples: int) -> int:
        """Return the number of places where a unit may begin in a clip of so many samples."""
        return max(0, (n_samples - EDGE - self.needed) // self.hop + 1)

    def n_frames(self, n_samples: int) -> int:
        """Return the number of places in a clip whose spectra are known."""
        return max(0, (n_samples - EDGE - self.fade) // self.hop + 1)


class _Settings(Protocol):
    seconds: float
    overlap: float
    neighbours: int
    tolerance: float
    most_ratio: float
    most_layers: int
    no_repeat_seconds: float
    search_ms: float
    compared: int


def sizes_of(settings: _Settings, sample_rate: int) -> Sizes:
    """Return the sizes for these settings, in whole ticks where the player needs it."""

    def ticks(seconds: float) -> int:
        return max(1, round(seconds * sample_rate / TICK)) * TICK

    unit = ticks(settings.seconds)
    return Sizes(
        hop=max(1, unit // FRAMES_PER_UNIT),
        unit=unit,
        fade=ticks(settings.overlap),
        search=round(settings.search_ms / 1000 * sample_rate),
        coarse=max(1, round(sample_rate / _COARSE_HZ)),
        no_repeat=round(settings.no_repeat_seconds * sample_rate),
        neighbours=settings.neighbours,
        compared=min(settings.compared, settings.neighbours),
        most_layers=settings.most_layers,
        tolerance=settings.tolerance,
        ln_ratio=math.log(settings.most_ratio),
    )

"""Estimates, before a command runs, of what it will make, write and take.

Stages and the doctor share these classes. A stage's `costs.py`, which its commands name, has
functions `makes`, `writes` and `takes`, each called with a step.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import joblib

from texturelib.audio import wav_bytes

# The accuracy of estimates from a few seconds, on a machine that may be busy with other work.
_LOW, _HIGH = 2 / 3, 3 / 2
PICTURES = 4.0
"""Seconds that the plots at a command's end take."""
# Bytes of the last block of a file, half of which is empty, and of its row in tables and journals.
_FILE = 4096
# Four bytes each: the weights; and, twice, since the next checkpoint is written beside it, weights,
# the best ones and Adam's two.
TRAINED_PARAMETER = 4 * (1 + 2 * 4)
"""Bytes per parameter of a network, including what its training saves."""


@dataclass(frozen=True)
class Clips:
    """The clips of a folder, or the most that it will have. controls: their names."""

    n: int
    seconds: float
    sample_rate: int
    controls: tuple[str, ...] = ()
    n_channels: int = 1

    @property
    def n_bytes(self) -> float:
        return wav_bytes(self.n * self.seconds, self.sample_rate, self.n_channels)


@dataclass(frozen=True)
class Written:
    """What a command writes: number of bytes and files, and the folder they go to."""

    folder: Path
    n_bytes: float
    n_files: int


@dataclass(frozen=True)
class Estimate:
    """The time that a command takes, in seconds.

    measured: what it was measured from, in words. is_at_most: whether the command may end earlier.
    """

    seconds: float
    measured: str
    is_at_most: bool = False

    @property
    def low(self) -> float:
        return _LOW * self.seconds

    @property
    def high(self) -> float:
        return _HIGH * self.seconds


@dataclass
class Measured:
    """What the doctor's rehearsals measured, by the name of the config; None where there was
    nothing to rehearse with.

    start: seconds that a command takes to start. recorded: seconds of recordings that will be cut.
    """

    start: float
    rendering: dict[str, Any] = field(default_factory=dict)
    cutting: dict[str, Any] = field(default_factory=dict)
    recorded: dict[str, float] = field(default_factory=dict)
    learning: dict[str, Any] = field(default_factory=dict)
    exporting: dict[str, Any] = field(default_factory=dict)
    augmenting: dict[str, Any] = field(default_factory=dict)
    synthesis: dict[str, Any] = field(default_factory=dict)


class Step(Protocol):
    """A command that may run.

    folder: the folder that it writes. inputs: what it reads, by name. config_name: the name of its
    config file.
    """

    @property
    def command(self) -> str: ...
    @property
    def config(self) -> Any: ...
    @property
    def config_name(self) -> str: ...
    @property
    def folder(self) -> Path: ...
    @property
    def inputs(self) -> Mapping[str, Path]: ...


class Flow(Protocol):
    """The clips that each folder has or will have."""

    def at(self, path: Path) -> Clips | None:
        """Return the clips that are in the folder, or will be made; None where that is not yet
        known."""
        ...

    def n_segments(self, step: Step) -> int | None:
        """Return the most segments that a step can cut from its recordings; None where that is
        not yet known."""
        ...

    def n_channels(self, step: Step) -> int:
        """Return the number of channels of the segments that a step cuts from its recordings."""
        ...


def at_once(n: int) -> float:
    """Return how many times the throughput of one process n processes reach on this machine, under
    its present load.

    Each gets its share of the cores, as the measured one did.
    """
    n_cores, others = joblib.cpu_count(), max(0.0, os.getloadavg()[0] - 1)
    return n * min(1.0, n_cores / (n + others)) / min(1.0, n_cores / (1 + others))


def written_clips(
    folder: Path, clips: Clips | None, linked_from: Path | None = None, files_each: int = 1
) -> list[Written]:
    """Return what clips take on disk; nothing where the clips are not known.

    linked_from: a folder whose clips are hard-linked, which takes no room on the same disk.
    """
    if clips is None:
        return []
    n_files = clips.n * files_each
    are_links = linked_from is not None and _disk(linked_from) == _disk(folder)
    return [Written(folder, _FILE * n_files + (0 if are_links else clips.n_bytes), n_files)]


def _disk(folder: Path) -> int:
    return nearest_folder(folder).stat().st_dev


def nearest_folder(folder: Path) -> Path:
    """Return the nearest folder that exists; an output may be a link to another disk."""
    place = Path(os.path.realpath(folder))
    return next(path for path in (place, *place.parents) if path.is_dir())


def in_words_each(seconds: float) -> str:
    """Format seconds per item for people.

    >>> in_words_each(0.25), in_words_each(0.0042)
    ('0.25 s each', '4.2 ms each')
    """
    return f"{seconds:.2f} s each" if seconds >= 0.1 else f"{1000 * seconds:.2g} ms each"

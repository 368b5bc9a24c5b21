"""What a command makes, writes and takes, reckoned before it runs: the words that stages and the
doctor share.

A stage says it in its `costs.py`, which its commands name: `makes`, `writes` and `takes`, each
asked with a step.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import joblib

from texturelib.audio import wav_bytes

# A sample of seconds, on a machine that may have other things to do, says no more than this.
_LOW, _HIGH = 2 / 3, 3 / 2
PICTURES = 4.0
"""Seconds, of the plots at a command's end."""
# Bytes of the last block of a file, half of which is empty, and of its row in tables and journals.
_FILE = 4096
# Four bytes each: the weights, and in a checkpoint, of which the next is written beside, weights,
# the best ones and Adam's two.
TRAINED_PARAMETER = 4 * (1 + 2 * 4)
"""Bytes of a parameter of a network, with what its training keeps of it."""


@dataclass(frozen=True)
class Clips:
    """What a folder of sounds holds, or will hold at most. controls: their names."""

    n: int
    seconds: float
    sample_rate: int
    controls: tuple[str, ...] = ()

    @property
    def n_bytes(self) -> float:
        return wav_bytes(self.n * self.seconds, self.sample_rate)


@dataclass(frozen=True)
class Written:
    """By a command: bytes and files; `folder`: where to."""

    folder: Path
    n_bytes: float
    n_files: int


@dataclass(frozen=True)
class Estimate:
    """seconds: of a command. measured: what from, in words. is_at_most: where it may end
    earlier."""

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
    """What the doctor's rehearsals found, by the name of the config; None where there was nothing
    to rehearse with.

    start: seconds that a command needs to begin with. recorded: seconds of recordings that will be
    cut.
    """

    start: float
    rendering: dict[str, Any] = field(default_factory=dict)
    cutting: dict[str, Any] = field(default_factory=dict)
    recorded: dict[str, float] = field(default_factory=dict)
    learning: dict[str, Any] = field(default_factory=dict)
    exporting: dict[str, Any] = field(default_factory=dict)
    synthesis: dict[str, Any] = field(default_factory=dict)


class Step(Protocol):
    """A command that may run. folder: that it writes. inputs: what it reads, by name. name: of its
    config's file."""

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
    """Clips by the folder that they lie in."""

    def at(self, path: Path) -> Clips | None:
        """-> those that are there, or will be made; None where nobody can know yet."""
        ...

    def n_segments(self, step: Step) -> int | None:
        """-> at most, of the recordings that a step cuts; None where nobody can know yet."""
        ...


def at_once(n: int) -> float:
    """-> how many times more than one of them n processes do on this machine, with what else it has
    to do now.

    Each gets its part of the cores; so did the one that was measured.
    """
    n_cores, others = joblib.cpu_count(), max(0.0, os.getloadavg()[0] - 1)
    return n * min(1.0, n_cores / (n + others)) / min(1.0, n_cores / (1 + others))


def written_clips(
    folder: Path, clips: Clips | None, linked_from: Path | None = None, files_each: int = 1
) -> list[Written]:
    """linked_from: a folder whose clips get a second name, which takes no room on the same disk.

    -> nothing where the clips are not known.
    """
    if clips is None:
        return []
    n_files = clips.n * files_each
    are_links = linked_from is not None and _disk(linked_from) == _disk(folder)
    return [Written(folder, _FILE * n_files + (0 if are_links else clips.n_bytes), n_files)]


def _disk(folder: Path) -> int:
    return nearest_folder(folder).stat().st_dev


def nearest_folder(folder: Path) -> Path:
    """-> the nearest folder that is there; an output may be a link to another disk."""
    place = Path(os.path.realpath(folder))
    return next(path for path in (place, *place.parents) if path.is_dir())


def in_words_each(seconds: float) -> str:
    """
    >>> in_words_each(0.25), in_words_each(0.0042)
    ('0.25 s each', '4.2 ms each')
    """
    return f"{seconds:.2f} s each" if seconds >= 0.1 else f"{1000 * seconds:.2g} ms each"

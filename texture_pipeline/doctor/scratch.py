"""A small temporary folder, in which a few clips stand for a whole folder."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from texturelib.dataset import read_dataset, write_dataset
from texturelib.evenly import evenly_spread
from texturelib.files import link_or_copy
from texturelib.made import begin_list

Item = TypeVar("Item")
FEW = 24
"""Number of clips that stand for a whole folder."""


class Enough(Exception):  # noqa: N818 (an outcome: what was to be measured is measured)
    """Ends a training from within."""


class Stopwatch:
    """Ticks once at every step, and ends the training after enough steps or enough time."""

    def __init__(self, most_steps: int, most_seconds: float) -> None:
        self._most_steps = most_steps
        self._most_seconds = most_seconds
        self._ticks: list[float] = []

    def tick(self) -> None:
        """Count a step. Errors: Enough."""
        self._ticks.append(time.perf_counter())
        n_steps = len(self._ticks) - 1
        if n_steps >= self._most_steps or (
            n_steps >= 3 and self._ticks[-1] - self._ticks[0] > self._most_seconds
        ):
            raise Enough

    @property
    def n_steps(self) -> int:
        """Number of steps that were measured: the first one warms up."""
        return max(1, len(self._ticks) - 2)

    @property
    def seconds(self) -> float:
        """Seconds per step: the median."""
        steps = sorted(
            later - earlier for earlier, later in zip(self._ticks, self._ticks[1:], strict=False)
        )
        first = self._ticks[1] - self._ticks[0]
        if len(steps) > 1:
            steps.remove(first)
        return steps[len(steps) // 2]


def seconds_of(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@dataclass(frozen=True)
class Each:
    """The time of one item. seconds: per item on one core. n: how many items were measured."""

    seconds: float
    n: int


def seconds_of_each(
    items: Iterable[Item], work: Callable[[Item], Any], most_seconds: float
) -> Each:
    """Do `work` on one item after the other until the time is up. The first one warms up, and
    counts only if it is alone."""
    first, total, n = 0.0, 0.0, 0
    for index, item in enumerate(items):
        seconds = seconds_of(lambda item=item: work(item))
        if index == 0:
            first = seconds
            continue
        total, n = total + seconds, n + 1
        if total > most_seconds:
            break
    return Each(total / n, n) if n else Each(first, 1)


class Scratch:
    """A folder of small folders that stand in for those of the results, which are only read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()
        self._stand_ins: dict[Path, Path] = {}

    def new(self, name: str) -> Path:
        """Return a new folder."""
        folder = self._folder / f"{next(self._numbers)}_{name}"
        folder.mkdir()
        begin_list(folder)  # so that its files are listed as in an output
        return folder

    def put(self, path: Path, stand_in: Path) -> None:
        self._stand_ins[path] = stand_in

    def stand_in(self, path: Path) -> Path | None:
        """Return the folder that stands in for this dataset folder: a few of its own clips,
        where it exists. Errors: TextureError about it."""
        if path not in self._stand_ins and (path / "dataset.json").is_file():
            self._stand_ins[path] = few_clips(path, self.new(path.name))
        return self._stand_ins.get(path)


def few_clips(dataset_folder: Path, folder: Path) -> Path:
    """Return `folder`, filled as a dataset folder with some of the clips. Errors: TextureError
    when they are not in a dataset folder, or a file is missing."""
    dataset = read_dataset(dataset_folder)
    rows = dataset.metadata.iloc[evenly_spread(len(dataset), FEW)]
    for name in rows["file_name"]:
        dataset_file = dataset_folder / name
        if dataset_file.is_file():  # otherwise reading it reports that it is missing
            link_or_copy(dataset_file, folder / name)
    write_dataset(
        folder,
        rows,
        sample_rate=dataset.sample_rate,
        seconds=dataset.seconds,
        n_channels=dataset.n_channels,
        controls=dataset.description["controls"],
    )
    return folder


@contextmanager
def scratch() -> Iterator[Scratch]:
    """Yield a scratch folder that is removed at the end."""
    with TemporaryDirectory(prefix="texture-doctor-") as folder:
        yield Scratch(Path(folder))

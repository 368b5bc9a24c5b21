"""What an executor offers."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from texturelib.registry import Registry

executors = Registry("texturelib.executors")


def _sees_all(path: Path) -> None:
    """Processes of this machine see what we see."""


def _needs_none(folder: Path) -> None:
    """What processes of this machine write is synced from here."""


def _knows_nothing(error: BaseException) -> None:
    """Of what becomes of workers."""


@dataclass(frozen=True)
class Pool:
    """Workers that are ready.

    n_workers: how many items are worked on at a time. is_this_process: one after the other, right
    here. backend: what joblib reaches workers through, None for its own processes. pre_dispatch:
    how many calls wait or run at a time, as joblib says it. are_children: whether this process has
    started theirs. check: Errors: TextureError unless every worker can do our work, and sees a
    path. sync: return when what workers of other machines have written into a folder is on its
    disk. explain: of an error that says what became of the workers, not of the work, the sentence
    for it, or None. can_restart: whether new workers in place of those that were lost are worth a
    try; a cluster has had its tries.
    """

    n_workers: int
    is_this_process: bool = False
    backend: Any = None
    pre_dispatch: Any = "2 * n_jobs"
    are_children: bool = True
    check: Callable[[Path], None] = _sees_all
    sync: Callable[[Path], None] = _needs_none
    explain: Callable[[BaseException], str | None] = _knows_nothing
    can_restart: bool = False


class Executor(Protocol):
    """A pydantic model whose fields are its settings."""

    @property
    def type(self) -> str:
        """The word for it in a config."""
        ...

    @property
    def workers(self) -> int | None:
        """How many there should be where nothing else is asked for."""
        ...

    def started(
        self, workers: int | None, n_items: int, in_threads: bool
    ) -> AbstractContextManager[Pool]:
        """Workers, until the block ends; none is left then that goes on with what was begun.

        workers: how many, in place of what the config says. n_items: more workers than these would
        idle. in_threads: on this machine, threads of this process. Errors: TextureError when there
        are none to be had.
        """
        ...

"""The interface that every executor has."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from texturelib.registry import Registry

executors = Registry("texturelib.executors")


def _sees_all(path: Path) -> None:
    """Do nothing: processes of this machine see every path that we see."""


def _needs_none(folder: Path) -> None:
    """Do nothing: what processes of this machine write is synced by the main process."""


def _knows_nothing(error: BaseException) -> None:
    """Return None: this executor knows nothing about what becomes of workers."""


@dataclass(frozen=True)
class Pool:
    """Workers that are ready.

    n_workers: how many items are worked on at a time. is_this_process: the items are done one after
    the other in this process. backend: joblib's backend for reaching the workers, None for its own
    processes. pre_dispatch: how many calls wait or run at a time, in joblib's notation.
    are_children: whether this process has started the workers' processes. check: raises
    TextureError unless every worker can do our work and sees a path. sync: returns when what
    workers of other machines have written into a folder is on its disk. explain: returns a sentence
    for an error that comes from the workers rather than from the work, else None. can_restart:
    whether new workers in place of lost ones are worth a try; a cluster has already tried.
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
    """An executor: a pydantic model whose fields are its settings."""

    @property
    def type(self) -> str:
        """The executor's word in a config."""
        ...

    @property
    def workers(self) -> int | None:
        """Number of workers where the command line asks for none."""
        ...

    def started(
        self, workers: int | None, n_items: int, in_threads: bool
    ) -> AbstractContextManager[Pool]:
        """Start workers, which last until the block ends; none then continues with what it had
        begun.

        workers: how many, in place of what the config says. n_items: more workers than items would
        be idle. in_threads: on this machine, threads of this process. Errors: TextureError when no
        workers can be had.
        """
        ...

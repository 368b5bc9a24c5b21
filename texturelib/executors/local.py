"""Processes of this machine."""

from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Literal

import joblib
from pydantic import PositiveInt

from texturelib._config_base import Config
from texturelib.executors._base import Pool, executors


@executors.register
class Local(Config):
    """Processes of this machine, by joblib."""

    type: Literal["local"] = "local"
    workers: PositiveInt | None = None
    """Number of worker processes; null: one per core."""

    @contextmanager
    def started(self, workers: int | None, n_items: int, in_threads: bool) -> Iterator[Pool]:
        n_workers = min(workers or self.workers or joblib.cpu_count(), max(1, n_items))
        yield Pool(
            n_workers,
            is_this_process=n_workers == 1,
            backend="threading" if in_threads else None,
            explain=_explain,
            can_restart=True,
        )


def _explain(error: BaseException) -> str | None:
    # When one worker dies, all end, with every item they were working on.
    return (
        "worker processes were killed (as where memory runs out)"
        if isinstance(error, BrokenProcessPool)
        else None
    )

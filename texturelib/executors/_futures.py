"""A joblib backend for workers elsewhere: each call is sent out, and comes back as a future.

Joblib has a backend for Dask, and Ray has one for joblib. The first waits for ever for calls that
Dask has given up; the second returns no result before the last one is there, so a journal would
hold nothing when a run is stopped.
"""

import threading
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

from joblib.parallel import AutoBatchingMixin, ParallelBackendBase

from texturelib.durable import sync_folder
from texturelib.errors import TextureError, first_line
from texturelib.executors._base import Pool


class FuturesBackend(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[override]
    """A joblib backend for workers that are reached through futures.

    submit: a function and its argument -> the future of its result. cancel: drops futures that are
    no longer wanted, and returns when no worker is busy with them.
    """

    supports_retrieve_callback = True
    default_n_jobs = -1

    def __init__(
        self,
        submit: Callable[[Callable[[Any], Any], Any], Any],
        cancel: Callable[[Iterable[Any]], None],
        n_workers: int,
    ) -> None:
        super().__init__()
        self._submit, self._cancel, self._n_workers = submit, cancel, n_workers
        self._open: set[Any] = set()
        self._is_stopped = False
        self._lock = threading.Lock()

    def effective_n_jobs(self, n_jobs: int) -> int:  # type: ignore[override]
        return max(2, self._n_workers)  # with one, joblib would do the work here

    def configure(self, n_jobs: int = 1, parallel: Any = None, **_: Any) -> int:  # type: ignore[override]
        self.parallel = parallel
        return self.effective_n_jobs(n_jobs)

    def submit(self, func: Callable[[], Any], callback: Callable[[Any], None] | None = None) -> Any:
        with self._lock:
            # Joblib sends the next call from a thread of its own, which may be on its way at a
            # Ctrl-C.
            if self._is_stopped:
                return Future()
            future = self._submit(_outcome, func)
            self._open.add(future)
        future.add_done_callback(lambda done: self._came_back(done, callback))
        return future

    def _came_back(self, future: Any, callback: Callable[[Any], None] | None) -> None:
        self._open.discard(future)
        if callback:
            callback(future)

    def retrieve_result_callback(self, out: Any) -> Any:
        result, error, trace = out.result()
        if error is not None:
            raise error from _ThereError(trace)
        return result

    def abort_everything(self, ensure_ready: bool = True) -> None:
        with self._lock:
            self._is_stopped = True
        self._cancel(list(self._open))
        self._open.clear()

    def terminate(self) -> None:
        self.reset_batch_stats()


class _ThereError(Exception):
    """The traceback of an error on another machine, shown with --debug."""


def _outcome(call: Callable[[], Any]) -> tuple[Any, Exception | None, str]:
    # Errors travel as results: both Dask and Ray would change them, and Ray would try again.
    try:
        return call(), None, ""
    except Exception as error:
        return None, error, traceback.format_exc()


Ask = Callable[[Callable[[str], Any], str], dict[str, Any]]
"""Calls a function with a path on every worker. Returns, by worker, the function's result or the
error that it raised."""


def cluster_pool(
    n_workers: int,
    backend: FuturesBackend,
    most: int | None,
    ask: Ask,
    explain: Callable[[BaseException], str | None],
) -> Pool:
    """Return the pool of a cluster that is already running.

    most: how many of its workers to use at a time. ask: calls a function on every worker.
    """
    # Calls that wait at a busy worker could otherwise run on another one.
    waiting = most if most and most < n_workers else "2 * n_jobs"
    return Pool(
        n_workers,
        backend=backend,
        pre_dispatch=waiting,
        are_children=False,
        check=lambda path: _check_workers(path, ask),
        sync=lambda folder: _sync_workers(folder, ask),
        explain=explain,
    )


def versions_that_count() -> dict[str, str]:
    """Return the versions that can change a result."""
    return {"python": python_version().rpartition(".")[0]} | {
        name: version(name) for name in ("texture-toolkit", "numpy", "soundfile")
    }


def worker_facts(path: str) -> tuple[dict[str, str], bool]:
    """Return a worker's versions, and whether it sees a path."""
    return versions_that_count(), Path(path).exists()


def _sync_folder(path: str) -> None:
    sync_folder(Path(path))


def _sync_workers(folder: Path, ask: Ask) -> None:
    """Sync what all workers have written: a machine keeps in its own memory what its workers
    have written to a shared disk. Errors: TextureError when one cannot."""
    for worker, answer in ask(_sync_folder, str(folder.absolute())).items():
        if isinstance(answer, BaseException):
            why = f"what the worker at {worker} has written may not be on the disk ({first_line(answer)})"
            raise TextureError(f"executor: {why}; start the same command again")


def _check_workers(path: Path, ask: Ask) -> None:
    """Check that every worker has our versions and sees `path`. Errors: TextureError."""
    ours = versions_that_count()
    for worker, answer in ask(worker_facts, str(path.absolute())).items():
        if isinstance(answer, BaseException):
            why = f"the worker at {worker} cannot run the toolkit ({first_line(answer)}); install it there as it is here"
            raise TextureError(f"executor: {why}")
        theirs, sees = answer
        for name, number in ours.items():
            if theirs[name] != number:
                raise TextureError(
                    f"executor: the worker at {worker} has {name} {theirs[name]}, but here it is {number}; results should not "
                    "depend on who makes them, so install the same there"
                )
        if not sees:
            raise TextureError(
                f"executor: the worker at {worker} does not see {path.absolute()}; all machines need one shared folder, under "
                "the same path"
            )

"""A Dask cluster: one of your own, or one that is started here on loopback."""

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal
from uuid import uuid4

import joblib
from pydantic import PositiveInt

from texturelib._config_base import Config
from texturelib.errors import TextureError, UsageError
from texturelib.executors._base import Pool, executors
from texturelib.private_folder import private_folder

_CONNECT_SECONDS = 5
_WORKERS_SECONDS = 10  # for a cluster that starts workers on demand
_PATIENCE_SECONDS = 10  # for unfinished items of a stopped job
_NO_PAGES = {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
"""Settings that turn off Dask's web pages, which show its tasks to anybody on this machine."""


@executors.register
class Dask(Config):
    """Processes of a Dask cluster. When a worker dies, others do its items."""

    type: Literal["dask"] = "dask"
    address: str | None = None
    """Address of the cluster's scheduler, as "tcp://host:8786"; its machines need the same
    toolkit, and the same folders under the same paths. null: a cluster on this machine, for this
    job alone, which no other machine can reach."""
    workers: PositiveInt | None = None
    """Number of worker processes; null: one per core. With an address: how many of the cluster's
    workers to use at a time; null: all."""

    @contextmanager
    def started(self, workers: int | None, n_items: int, in_threads: bool) -> Iterator[Pool]:
        try:
            import cryptography  # noqa: F401 (with it, Dask makes the certificates of a cluster of its own)
            import dask.config
            import distributed
        except ImportError:
            raise UsageError(
                "executor: needs Dask, which is not installed; pip install 'texture-toolkit[dask]'"
            ) from None
        wanted = workers or self.workers
        # We report lost workers and connections ourselves; each of Dask's loggers has a level
        # of its own.
        for name in [
            name for name in logging.root.manager.loggerDict if name.startswith("distributed")
        ]:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        if self.address is not None:
            with _connected(self.address) as client:
                there = _n_workers(client, self.address)
                yield _pool(client, there, self.address, wanted)
            return
        n_workers = min(wanted or joblib.cpu_count(), max(1, n_items))
        with (
            _own_environment(),
            private_folder("texture-dask-") as folder,
            dask.config.set(_NO_PAGES),
            distributed.LocalCluster(
                n_workers=n_workers,
                threads_per_worker=1,
                host="127.0.0.1",
                # Otherwise anybody with an account here could run code through it: only who has the
                # certificate is let in, and it is in the memory of this process and its workers
                # alone.
                security=distributed.Security.temporary(),
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                local_directory=str(folder),
                # As on this machine without Dask, which would stop a worker that has its share.
                memory_limit=0,
                silence_logs=logging.CRITICAL,
            ) as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
        ):
            yield _pool(client, n_workers)


@contextmanager
def _own_environment() -> Iterator[None]:
    """Restore the environment after the block: Dask sets variables that give its workers one
    thread each, and leaves them set here, too."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    from distributed import Client

    try:
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        why = "nobody answers" if isinstance(error, OSError) else str(error)
        raise TextureError(
            f"executor.address: {address}: {why}; name that of a Dask scheduler, which `dask scheduler` says when it starts"
        ) from None
    with client:
        yield client


def _n_workers(client: Any, address: str) -> int:
    """Return the number of workers. Errors: TextureError when there are none, or some that would
    work on several items in one process."""
    try:
        client.wait_for_workers(1, timeout=_WORKERS_SECONDS)
    except TimeoutError:
        raise TextureError(
            f"executor.address: the cluster at {address} has no workers; start some: dask worker {address} --nworkers auto "
            "--nthreads 1"
        ) from None
    threads = client.nthreads()
    worker, most = max(threads.items(), key=lambda each: each[1])
    if most > 1:
        raise TextureError(
            f"executor.address: the worker at {worker} has {most} threads, and the jobs need processes, which cannot disturb "
            f"each other: dask worker {address} --nworkers {most} --nthreads 1"
        )
    return len(threads)


def _pool(client: Any, n_workers: int, address: str | None = None, most: int | None = None) -> Pool:
    from texturelib.executors._futures import FuturesBackend, cluster_pool

    def submit(function: Any, argument: Any) -> Any:
        return client.submit(function, argument, key=f"texture-{uuid4().hex}", pure=False)

    def cancel(futures: Iterable[Any]) -> None:
        futures = list(futures)
        keys = [future.key for future in futures]
        until = time.monotonic() + _PATIENCE_SECONDS
        with suppress(OSError):  # the cluster may be gone
            client.cancel(futures, force=True)
            # Dask lets an item that has begun run to its end, and it would write into
            # what the next run makes.
            while (
                address
                and time.monotonic() < until
                and any(client.run(_is_busy_with, keys).values())
            ):
                time.sleep(0.1)

    def ask(function: Callable[[str], Any], path: str) -> dict[str, Any]:
        return client.run(function, path, on_error="return")

    def explain(error: BaseException) -> str | None:
        import asyncio
        import concurrent.futures

        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError

        if isinstance(error, KilledWorker):
            return "Dask's workers were killed over and over at the same items (as where memory runs out)"
        is_gone = isinstance(
            error, asyncio.CancelledError | concurrent.futures.CancelledError | CommClosedError
        )
        return f"the cluster at {address} is gone" if is_gone else None

    backend = FuturesBackend(submit, cancel, n_workers)
    if address is None:
        return Pool(n_workers, backend=backend, explain=explain)
    return cluster_pool(n_workers, backend, most, ask, explain)


def _is_busy_with(keys: list[str], dask_worker: Any) -> bool:
    return any(key in dask_worker.state.tasks for key in keys)

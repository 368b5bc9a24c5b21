"""A Ray cluster: one of your own, or an instance that is started here on loopback."""

import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import joblib
from pydantic import PositiveInt

from texturelib._config_base import Config
from texturelib.errors import TextureError, UsageError, first_line
from texturelib.executors._base import Pool, executors
from texturelib.private_folder import private_folder

_CONNECT_SECONDS = 5
_FACTS_SECONDS = 60  # until a machine's first process has started
_STORE_BYTES = 80 * 2**20  # the least that Ray accepts; we pass little through it
_RETRIES = 3


@executors.register
class Ray(Config):
    """Processes of a Ray cluster. When a worker dies, others do its items."""

    type: Literal["ray"] = "ray"
    address: str | None = None
    """Address of a cluster that this machine belongs to, as "host:6379", or of its client
    server, as "ray://host:10001"; its machines need the same toolkit, and the same folders under
    the same paths. null: an instance on this machine, for this job alone, which no other machine
    can reach."""
    workers: PositiveInt | None = None
    """Number of worker processes; null: one per core. With an address: how many of the cluster's
    cores to use at a time; null: all."""

    @contextmanager
    def started(self, workers: int | None, n_items: int, in_threads: bool) -> Iterator[Pool]:
        wanted = workers or self.workers
        is_here = self.address is None or self.address.startswith(("127.0.0.1:", "localhost:"))
        _prepare_environment(is_here, is_own=self.address is None)
        try:
            import ray
        except ImportError:
            raise UsageError(
                "executor: needs Ray, which is not installed; pip install 'texture-toolkit[ray]'"
            ) from None
        if self.address is not None:
            _check_that_somebody_answers(self.address)
            with _initialised(ray, address=self.address):
                there = int(ray.cluster_resources().get("CPU", 0))
                if not there:
                    raise TextureError(
                        f"executor.address: the cluster at {self.address} has no cores to work with"
                    )
                yield _pool(ray, there, self.address, wanted)
            return
        n_workers = min(wanted or joblib.cpu_count(), max(1, n_items))
        settings = {
            "include_dashboard": False,
            "num_cpus": n_workers,
            "object_store_memory": _STORE_BYTES,
        }
        # In /tmp, since the names of sockets in it must be short. Ray opens its own to everybody,
        # so it lies in one of ours.
        with (
            private_folder("texture-ray-", Path("/tmp"), _end_processes_in) as folder,
            _initialised(ray, address="local", _temp_dir=str(folder / "r"), **settings),
        ):
            if not ray.util.get_node_ip_address().startswith(("127.", "::1")):
                raise TextureError(
                    "executor: Ray would listen to other machines, since it was imported before; start anew"
                )
            yield _pool(ray, n_workers)


def _prepare_environment(is_here: bool, is_own: bool) -> None:
    """Set the environment variables that Ray reads when it is imported or started."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # About the seconds after which a cluster that does not let us in is given up.
    os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "5")
    if is_here:
        # Meant for other systems, but on Linux, too, it keeps Ray on loopback; else it listens
        # on every interface.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    if is_own and "RAY_AUTH_MODE" not in os.environ:
        # Known to nobody else on this machine; without one, Ray would leave one in the home folder.
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


def _end_processes_in(folder: Path) -> None:
    """Kill the processes that have a file open in the folder: workers of a Ray whose main
    process was killed."""
    # Finds nothing where there is no Linux; processes of other users cannot be examined.
    for descriptor in Path("/proc").glob("[0-9]*/fd/[0-9]*"):
        with suppress(OSError):
            if descriptor.readlink().is_relative_to(folder):
                os.kill(int(descriptor.parts[2]), signal.SIGKILL)


def _check_that_somebody_answers(address: str) -> None:
    """Check that something answers at the address; Ray itself would try for minutes. Errors:
    TextureError."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
    except (OSError, ValueError, OverflowError):
        raise TextureError(
            f"executor.address: {address}: nobody answers; name that of a Ray cluster, which `ray start --head` says at its start"
        ) from None


@contextmanager
def _initialised(ray: Any, **settings: Any) -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            log_to_driver=False, logging_level=logging.CRITICAL, configure_logging=True, **settings
        )
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        if "token" in f"{error} {error.__cause__}":
            raise TextureError(
                "executor: the Ray cluster asks for its token: set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN as on its machines"
            ) from error
        raise TextureError(f"executor: Ray does not start ({first_line(error)})") from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)  # Ray has set its own
    try:
        yield
    finally:
        ray.shutdown()


def _pool(ray: Any, n_workers: int, address: str | None = None, most: int | None = None) -> Pool:
    from texturelib.executors._futures import FuturesBackend, cluster_pool

    references: dict[Any, Any] = {}
    remote = {}

    def submit(function: Any, argument: Any) -> Any:
        if function not in remote:
            remote[function] = ray.remote(max_retries=_RETRIES)(function)
        reference = remote[function].remote(argument)
        future = reference.future()
        references[future] = reference
        future.add_done_callback(lambda done: references.pop(done, None))
        return future

    def cancel(futures: Iterable[Any]) -> None:
        for future in futures:
            if (reference := references.get(future)) is not None:
                with suppress(Exception):  # it may just have ended
                    ray.cancel(reference, force=True)

    def ask(function: Callable[[str], Any], path: str) -> dict[str, Any]:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        nodes = {
            node["NodeManagerAddress"]: node["NodeID"] for node in ray.nodes() if node["Alive"]
        }
        call = ray.remote(num_cpus=0)(function)
        references = {
            place: call.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)
            ).remote(path)
            for place, node in nodes.items()
        }
        return {place: _answer(ray, reference) for place, reference in references.items()}

    def explain(error: BaseException) -> str | None:
        if isinstance(error, ray.exceptions.WorkerCrashedError | ray.exceptions.OutOfMemoryError):
            return "Ray's workers were killed over and over at the same items (as where memory runs out)"
        return "the Ray cluster is gone" if isinstance(error, ray.exceptions.RayError) else None

    backend = FuturesBackend(submit, cancel, n_workers)
    if address is None:
        return Pool(n_workers, backend=backend, are_children=False, explain=explain)
    return cluster_pool(n_workers, backend, most, ask, explain)


def _answer(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference, timeout=_FACTS_SECONDS)
    except ray.exceptions.RayError as error:
        return error

"""Real clusters on loopback, as a user starts them."""

import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # of Linux's prctl(2)


def _end_with_the_tests() -> None:
    """In a new process: be told when pytest is killed, which then tells nobody itself."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class DaskCluster:
    """`dask scheduler`, and as many `dask worker` as are started; in a folder of their own, which
    is not that of the tests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler", "--port", "0", "--dashboard-address", "127.0.0.1:0"
        )
        self.address = str(self._when_there()["address"])
        self.workers: list[subprocess.Popen[bytes]] = []

    def _start(
        self, *words: str, environment: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        common = ("--scheduler-file", str(self._file), "--host", "127.0.0.1")
        with (self._folder / f"{words[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *words, *common],
                cwd=self._folder,
                env={**os.environ, **(environment or {})},
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_the_tests,
            )

    def _when_there(self) -> dict[str, object]:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            assert self.scheduler.poll() is None, (self._folder / "scheduler.log").read_text()
            if self._file.exists() and (content := self._file.read_text()).endswith("}"):
                return json.loads(content)
            time.sleep(0.05)
        raise AssertionError("no scheduler after a minute")

    def add_worker(self, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
        """One process, which nobody starts again."""
        words = (
            "worker",
            "--nthreads",
            "1",
            "--no-nanny",
            "--dashboard-address",
            "127.0.0.1:0",
            "--memory-limit",
            "0",
        )
        self.workers.append(
            self._start(*words, "--local-directory", str(self._folder), environment=environment)
        )
        return self.workers[-1]

    def wait_for_workers(self) -> None:
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=60)

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class RayCluster:
    """`ray start --head`, with two cores.

    environment: what a program needs to be let in; with the first of it, Ray listens on loopback
    alone.
    """

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        self.environment = {
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
        }
        words = [
            "start",
            "--head",
            "--block",
            "--num-cpus=2",
            "--include-dashboard=false",
            f"--port={port}",
        ]
        words += [
            "--node-ip-address=127.0.0.1",
            "--object-store-memory=83886080",
            f"--temp-dir={folder}",
        ]
        with (folder / "ray.log").open("wb") as log:
            self._process = subprocess.Popen(
                [Path(sys.executable).with_name("ray"), *words],
                env={**os.environ, **self.environment},
                cwd=folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_the_tests,
            )
        until = time.monotonic() + 120
        while "Ray runtime started" not in (folder / "ray.log").read_text():
            assert self._process.poll() is None, (folder / "ray.log").read_text()
            assert time.monotonic() < until, "no Ray after two minutes"
            time.sleep(0.1)

    def end(self) -> None:
        import psutil

        others = psutil.Process(self._process.pid).children(recursive=True)
        self._process.terminate()
        self._process.wait()
        for process in others:
            if process.is_running():
                process.kill()

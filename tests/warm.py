"""Start commands without the seconds that a new process takes to import what they need: see
warm_process.py."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LONGEST = 300.0  # seconds; a command that takes longer hangs


@dataclass
class Running:
    """A command that was started."""

    process: int
    log: Path
    _warm: "Warm"

    @property
    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def status(self) -> int | None:
        """Return None while it runs."""
        self._warm.listen(0)
        return self._warm.statuses.get(self.process)

    def is_over_after(self, seconds: float) -> bool:
        """Return whether it has ended within this time."""
        deadline = time.monotonic() + seconds
        while self.status() is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def wait(self) -> int:
        deadline = time.monotonic() + LONGEST
        while (status := self.status()) is None:
            assert time.monotonic() < deadline, f"it hangs:\n{self.said}"
            self._warm.listen(0.05)
        return status

    def send(self, number: int, whole_group: bool = False) -> None:
        (os.killpg if whole_group else os.kill)(self.process, number)

    def resume(self) -> None:
        if self.status() is None:
            self.send(signal.SIGCONT)

    def kill(self, whole_group: bool) -> None:
        """Returns when nothing that it started is left either."""
        self.send(signal.SIGKILL, whole_group)
        self.wait()
        deadline = time.monotonic() + 30
        while left := members(self.process):
            assert time.monotonic() < deadline, f"orphans go on: {left}"
            time.sleep(0.02)


class Warm:
    """The warm process, from this side."""

    def __init__(self, logs: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("warm_process.py")],
            cwd=ROOT,
            env=os.environ
            | {
                "PYTHONPATH": str(ROOT),
                **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self.statuses: dict[int, int] = {}
        self._logs = logs
        self._n_started = 0
        self._waiting = b""
        self._started: list[int] = []
        deadline = time.monotonic() + LONGEST
        while not self.listen(1):
            assert time.monotonic() < deadline

    def listen(self, seconds: float) -> bool:
        """Hear what it says within this time. -> whether it said anything."""
        out = self._process.stdout
        assert out
        if not select.select([out], [], [], seconds)[0]:
            return False
        content = os.read(out.fileno(), 65536)
        assert content, "the warm process has ended"
        *lines, self._waiting = (self._waiting + content).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if "started" in said:
                self._started.append(said["started"])
            elif "ended" in said:
                self.statuses[said["ended"]] = said["status"]
        return True

    def start(self, package: str, words: list[str], folder: Path, **options: Any) -> Running:
        """options: see warm_process.py."""
        assert self._process.stdin
        self._n_started += 1
        log = self._logs / f"{self._n_started}.txt"
        wish = {
            "package": package,
            "words": words,
            "folder": str(folder),
            "log": str(log),
            **options,
        }
        self._process.stdin.write(json.dumps(wish).encode() + b"\n")
        while not self._started:
            self.listen(1)
        return Running(self._started.pop(), log, self)

    def close(self) -> None:
        self._process.communicate()


def members(group: int) -> list[int]:
    """Return the processes of a group that are not dead yet, by Linux's books."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] not in "ZX":
            found.append(int(path.parent.name))
    return found

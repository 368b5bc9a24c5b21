"""Fuzzers that read in a process of their own, of little memory, which may crash or hang without
taking the tests along.

`pytest tests/hostile` tries a hundred inputs of each kind, the same each time; `pytest
tests/hostile -m long` a thousand, and says how many.
"""

import json
import selectors
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(
    0, str(Path(__file__).parent)
)  # for mangling.py and sources.py: tests are no package

_FEW, _MANY = 100, 1000  # inputs of a fuzzer
_PATIENCE_SECONDS = 60  # for one input; each takes milliseconds, but the machine may be busy
_COUNTS = pytest.StashKey[Counter[str]]()


class Outcome(NamedTuple):
    """kind: "read", "refused" (a sentence came), "unforeseen" (another exception), "crashed" or
    "hangs"."""

    kind: str
    text: str


class Reader:
    """The process that reads. Use as a context."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def read(self, reader: str, path: Path) -> Outcome:
        """reader: a function of reading.py -> what became of it."""
        process = self._process = self._process or subprocess.Popen(
            [sys.executable, Path(__file__).with_name("reading.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps([reader, str(path)]) + "\n")
        process.stdin.flush()
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            if not waiting.select(_PATIENCE_SECONDS):
                self._end()
                return Outcome("hangs", f"no answer within {_PATIENCE_SECONDS} s")
        answer = process.stdout.readline()
        if answer:
            return Outcome(*json.loads(answer))
        status = process.wait()
        self._end()
        return Outcome(
            "crashed", signal.Signals(-status).name if status < 0 else f"exit status {status}"
        )

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None


@pytest.fixture(scope="session")
def reading() -> Iterator[Reader]:
    with Reader() as reader:
        yield reader


@pytest.fixture(
    params=[pytest.param(_FEW, id="few"), pytest.param(_MANY, id="many", marks=pytest.mark.long)]
)
def fuzz(request: pytest.FixtureRequest, reading: Reader) -> Callable[..., None]:
    """Try inputs: each is read, or refused in one sentence that names its file; nothing else
    happens."""
    counts = request.config.stash.setdefault(_COUNTS, Counter())

    def run(
        reader: str,
        inputs: st.SearchStrategy[bytes],
        place: Path,
        folder: Path | None = None,
        names: bool = True,
    ) -> None:
        """place: where each input is written to. folder: what is read then, `place` itself unless
        given. names: whether the sentence has to name the file, rather than who reads it."""

        @settings(
            max_examples=request.param,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(inputs)
        def each_is_read_or_refused(content: bytes) -> None:
            place.write_bytes(content)
            outcome = reading.read(reader, folder or place)
            counts[f"{reader}: {outcome.kind}"] += 1
            assert outcome.kind in ("read", "refused"), outcome.text
            if outcome.kind == "refused":
                assert "\n" not in outcome.text
                assert (
                    not names
                    or place.name in outcome.text
                    or (folder and folder.name in outcome.text)
                ), outcome.text

        each_is_read_or_refused()

    return run


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    counts = config.stash.get(_COUNTS, Counter())
    if not counts or "long" not in (config.getoption("-m") or "").replace("not long", ""):
        return
    terminalreporter.section("inputs tried")
    for reader in sorted({key.split(":")[0] for key in counts}):
        of_reader = {
            key.split(": ")[1]: count
            for key, count in counts.items()
            if key.split(":")[0] == reader
        }
        parts = ", ".join(f"{count} {kind}" for kind, count in sorted(of_reader.items()))
        terminalreporter.write_line(f"{reader:28} {sum(of_reader.values()):7}   {parts}")

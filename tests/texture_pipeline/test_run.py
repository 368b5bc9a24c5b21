"""The commands of the stages run one after the other; the first that fails ends it, and so does a
person."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from texture_pipeline import run
from texture_pipeline.run import run_commands
from texture_pipeline.stages import Job, Stage
from texturelib.commands import Command
from texturelib.config import StageConfig
from texturelib.errors import TextureError

# A stage whose commands write down how they were called, and then do as their name says.
PROGRAM = """
import os, signal, sys, time
from pathlib import Path

with open("calls.txt", "a") as calls:
    print(*sys.argv[1:], file=calls)
match sys.argv[1].split("-"):
    case ["fail", status]:
        sys.exit(int(status))
    case ["die"]:
        os.kill(os.getpid(), signal.SIGKILL)
    case ["note", name]:
        Path(name).touch()
    case ["await", name]:
        while not Path(name).exists():
            time.sleep(0.01)
        print("has", name)
    case ["linger", *_]:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        Path("lingers.txt").write_text(str(os.getpid()))
        time.sleep(60)
"""


def declare(name: str) -> Command:
    return Command(
        "small-stage",
        name,
        help="",
        config="texturelib.config:StageConfig",
        folder=lambda config: config.output,
        inputs=lambda _: [],
        plan=lambda _: "",
        run=lambda *_: "",
    )


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Job]:
    """A job of these commands; tmp_path is the current folder."""
    (tmp_path / "small_stage").mkdir()
    (tmp_path / "small_stage" / "__main__.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    declared: Any = types.ModuleType("small_stage.commands")
    declared.COMMANDS = []
    monkeypatch.setitem(sys.modules, declared.__name__, declared)

    def make(*commands: str, overrides: tuple[str, ...] = (), output: str = "out") -> Job:
        config = StageConfig(output=tmp_path / output)
        declared.COMMANDS += map(declare, commands)
        return Job(
            Stage("small", "small_stage", commands),
            tmp_path / "small.json",
            config,
            overrides,
        )

    return make


def calls() -> list[str]:
    return Path("calls.txt").read_text().splitlines()


def test_commands_run_in_order_and_are_shown_as_a_person_would_type_them(job, capfd):
    jobs = [job("one", "two", overrides=("a.b=1", "name=two words")), job("three")]
    assert run_commands(jobs, {"": ["--overwrite"], "small-stage two": ["--yes"]}) == 0
    assert calls() == [
        "one small.json --set a.b=1 --set name=two words --overwrite",
        "two small.json --set a.b=1 --set name=two words --overwrite --yes",
        "three small.json --overwrite",
    ]
    assert (
        "$ small-stage one small.json --set a.b=1 --set 'name=two words' --overwrite\n"
        in capfd.readouterr().out
    )


def test_commands_that_need_nothing_of_one_another_run_side_by_side(job, capfd):
    jobs = [job("await-b", output="a"), job("note-b", output="b"), job("last", output="b/last")]
    assert run_commands(jobs, {}, at_once=2) == 0  # the first ends when the second has begun
    assert calls()[2].split()[0] == "last"
    printed = capfd.readouterr().out.splitlines()
    assert "small | has b" in printed
    assert "small | " not in printed


def test_what_fails_beside_others_stops_them(job):
    assert run_commands([job("linger-a", output="a"), job("fail-2", output="b")], {}, 2) == 2
    assert not is_running(int(Path("lingers.txt").read_text()))


@pytest.mark.parametrize("status", [1, 2, 130])
def test_the_first_command_that_fails_ends_it_with_its_status(job, status):
    assert run_commands([job("one", f"fail-{status}", "two"), job("three")], {}) == status
    assert [call.split()[0] for call in calls()] == ["one", f"fail-{status}"]


def test_a_command_that_is_killed_is_a_failure_that_says_so(job):
    # As Linux does to what takes too much memory.
    with pytest.raises(TextureError, match="SIGKILL") as killed:
        run_commands([job("die", "two")], {})
    assert killed.value.exit_status == 1
    assert calls() == ["die small.json"]


def test_a_command_that_will_not_stop_is_not_left_behind(job, monkeypatch):
    monkeypatch.setattr(run, "_PATIENCE_SECONDS", 0.2)

    def interrupt() -> None:
        while not Path("lingers.txt").exists() or not Path("lingers.txt").read_text():
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run_commands([job("linger", "two")], {})
    thread.join()
    assert not is_running(int(Path("lingers.txt").read_text()))
    assert calls() == ["linger small.json"]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


class Pipeline:
    """texture-pipeline with much to render, in a session of its own, as in a terminal's window."""

    def __init__(self, sound: Path) -> None:
        self.journal = sound.parents[1] / "results" / "demo" / "synthetic" / "journal.jsonl"
        options = [
            "--set",
            "synthetic.distribution.n_clips=20000",
            "--set",
            "synthetic.seconds=0.01",
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "texture_pipeline", str(sound), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def n_done(self) -> int:
        return len(self.journal.read_text().splitlines()) if self.journal.exists() else 0

    def wait_until(self, is_so: Callable[[], object]) -> None:
        while not is_so():
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.05)

    def others(self) -> list[int]:
        """Return the processes that it has started, and theirs, as far as they run."""
        pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
        return [
            pid for pid in pids if session_of(pid) == self.process.pid != pid and is_running(pid)
        ]

    def end(self) -> tuple[int, str, str]:
        """Return the exit status, stdout and stderr, once nothing of it runs any more."""
        out, err = self.process.communicate(timeout=120)
        patience = time.monotonic() + 60
        while left := self.others():
            assert time.monotonic() < patience, f"processes {left} run on"
            time.sleep(0.05)
        return self.process.returncode, out, err


@pytest.fixture
def pipeline(sound: Path):
    """Start texture-pipeline on `sound`; none is left when the test has failed."""
    started: list[Pipeline] = []

    def start() -> Pipeline:
        started.append(Pipeline(sound))
        return started[-1]

    yield start
    for each in started:
        with each.process, contextlib.suppress(ProcessLookupError):
            os.killpg(each.process.pid, signal.SIGKILL)


def test_ctrl_c_and_kill_end_it_with_a_word_and_the_same_command_goes_on(pipeline):
    first = pipeline()
    first.wait_until(lambda: first.n_done() > 20)
    os.killpg(first.process.pid, signal.SIGINT)  # Ctrl-C reaches every process of the terminal
    status, out, err = first.end()
    assert status == 130
    assert "(first run)" in out
    assert "stopped; the same command goes on from here" in err
    assert "Traceback" not in err
    assert not list(first.journal.parent.rglob(".part-*"))
    n_done = first.n_done()

    second = pipeline()
    second.wait_until(lambda: second.n_done() > n_done)
    second.process.terminate()  # as `kill` does: to the one process that the user started
    status, out, err = second.end()
    assert status == 130
    assert "(goes on where it was stopped)" in out
    assert "Traceback" not in err


def test_ctrl_c_while_a_command_starts_brings_no_traceback_from_it(pipeline):
    stopped = pipeline()
    stopped.wait_until(stopped.others)
    time.sleep(0.02)  # and now its imports have begun, which take longer than that
    os.killpg(stopped.process.pid, signal.SIGINT)
    status, _, err = stopped.end()
    assert status == 130
    assert "stopped; the same command goes on from here" in err
    assert "Traceback" not in err

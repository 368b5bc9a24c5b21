"""One process at a time writes a folder; the lock goes with the process, however that ends."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from texturelib.locks import LOCK, BeingWrittenError, Lock, check_free, wait_until_free

# Holds the lock of a folder until its standard input is closed; a copy of it, a fork, lives on as
# long as it is let.
HOLDER = """
import os, sys
from pathlib import Path
from texturelib.locks import Lock

lock = Lock(Path(sys.argv[1]))
lock.take("texture make")
if "--fork" in sys.argv and os.fork() == 0:
    sys.stdin.read()
    os._exit(0)
print("held", flush=True)
sys.stdin.read()
lock.release()
"""


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Let another process hold the lock of tmp_path."""
    started = []

    def start(*options: str) -> "subprocess.Popen[str]":
        words = [sys.executable, "-c", HOLDER, str(tmp_path), *options]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.communicate()


def test_the_second_is_told_who_the_first_is(
    hold: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    first = hold()

    who = rf"is being written by \"texture make\" \(process {first.pid} on \S+, since \d\d:\d\d\); wait for it, or stop it$"
    with pytest.raises(BeingWrittenError, match=who) as refused:
        Lock(tmp_path).take("texture make")
    assert refused.value.exit_status == 1
    with pytest.raises(BeingWrittenError, match=who):
        check_free(tmp_path)


def test_a_lock_that_was_released_leaves_nothing(tmp_path: Path) -> None:
    lock = Lock(tmp_path)
    lock.take("texture make")
    assert (tmp_path / LOCK).exists()
    lock.release()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [[], ["--fork"]])
def test_a_killed_process_holds_nothing_even_where_a_copy_of_it_lives_on(
    hold: Callable[..., "subprocess.Popen[str]"], tmp_path: Path, options: list[str]
) -> None:
    first = hold(*options)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert (tmp_path / LOCK).exists()

    Lock(tmp_path).take("texture make")


def test_one_that_waits_goes_on_when_the_first_has_ended(
    hold: Callable[..., "subprocess.Popen[str]"], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = hold()
    waiter = threading.Thread(target=wait_until_free, args=[tmp_path])
    waiter.start()
    waiter.join(2)
    assert waiter.is_alive()
    first.communicate()
    waiter.join(30)
    assert not waiter.is_alive()
    assert re.fullmatch(r"\S+: is being written by .*: waiting for it\n", capsys.readouterr().err)


def test_the_same_process_may_begin_again_what_it_broke_off(tmp_path: Path) -> None:
    first, second = Lock(tmp_path), Lock(tmp_path)
    first.take("texture make")
    second.take("texture make")
    check_free(tmp_path)
    first.release()  # it holds nothing any more
    assert (tmp_path / LOCK).exists()
    second.release()
    assert not (tmp_path / LOCK).exists()


def test_a_disk_without_locks_is_written_with_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, os.strerror(95))

    monkeypatch.setattr(fcntl, "flock", refuse)
    check_free(tmp_path)
    lock = Lock(tmp_path)
    with pytest.warns(
        UserWarning, match="its disk knows no locks; see that no other run writes there"
    ):
        lock.take("texture make")
    lock.release()

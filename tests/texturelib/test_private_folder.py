"""Temporary folders are nobody else's, and what killed runs leave of them is removed, but nothing
else."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from texturelib.private_folder import private_folder

HOLDER = """
import os, sys, time
from pathlib import Path
from texturelib.private_folder import private_folder
with private_folder("ours-", Path(sys.argv[1])) as folder:
    (folder / "deep").mkdir()
    (folder / "deep" / "file").touch()
    if "forks" in sys.argv and os.fork() == 0:
        print("started", flush=True)
        time.sleep(60)
        os._exit(0)
    if "forks" not in sys.argv:
        print("started", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start another process that has a private folder in tmp_path."""
    started = []

    def start(*words: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, tmp_path, *words],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == "started\n"
        return process

    yield start
    for each in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(each.pid, 9)
        each.communicate()


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_only_its_owner_sees_into_it_and_it_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    with private_folder("ours-", tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert names(tmp_path) == [folder.name]
        assert folder.name.startswith("ours-")
        (folder / "a").mkdir()
        (folder / "a" / "b").touch()
    assert names(tmp_path) == []


def test_one_that_is_in_use_stays_and_what_is_left_of_a_killed_run_goes(
    tmp_path: Path, holder: Callable[..., "subprocess.Popen[str]"]
) -> None:
    process = holder()
    [theirs] = names(tmp_path)
    seen = []
    with private_folder("ours-", tmp_path, seen.append) as folder:
        assert names(tmp_path) == sorted([theirs, folder.name])
        assert (tmp_path / theirs / "deep" / "file").exists()
    assert seen == []

    process.kill()
    process.wait()
    with private_folder("ours-", tmp_path, seen.append) as folder:
        assert names(tmp_path) == [folder.name]
    assert seen == [tmp_path / theirs]


def test_a_copy_of_the_process_does_not_keep_it_alive(
    tmp_path: Path, holder: Callable[..., "subprocess.Popen[str]"]
) -> None:
    process = holder("forks")
    process.kill()
    process.wait()
    deadline = time.monotonic() + 5  # the copy closes its lock as its first act
    while names(tmp_path) and time.monotonic() < deadline:
        with private_folder("ours-", tmp_path):
            pass
    assert names(tmp_path) == []


def test_what_is_not_certainly_ours_and_dead_stays(tmp_path: Path) -> None:
    (tmp_path / "ours-without-a-lock").mkdir()
    (tmp_path / "ours-file").touch()
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / ".lock").touch()
    (tmp_path / "ours-link").symlink_to(theirs)
    (tmp_path / "ours-linked-lock").mkdir()
    (tmp_path / "ours-linked-lock" / ".lock").symlink_to(theirs / ".lock")
    before = names(tmp_path)
    with private_folder("ours-", tmp_path):
        pass
    assert names(tmp_path) == before


@pytest.mark.skipif(os.getuid() != 0, reason="needs to give a folder away")
def test_another_users_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "ours-x").mkdir()
    (tmp_path / "ours-x" / ".lock").touch()
    os.chown(tmp_path / "ours-x", 65534, 65534)
    with private_folder("ours-", tmp_path):
        pass
    assert names(tmp_path) == ["ours-x"]


def test_one_that_was_half_removed_is_removed(tmp_path: Path) -> None:
    (tmp_path / "ours-x" / "left").mkdir(parents=True)
    (tmp_path / "ours-x" / ".lock").touch()
    with private_folder("ours-", tmp_path):
        pass
    assert names(tmp_path) == []

"""Locks on folders: one run at a time writes a folder, and a second one learns about the first.

The lock is the system's own on a file, which is released whenever and however the process ends. The
file is ours when it is empty or says who holds it; any other file of its name, or what a link of
that name leads to, is left alone.
"""

import contextlib
import errno
import fcntl
import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from texturelib.errors import TextureError
from texturelib.files import shown
from texturelib.plain_files import PLAIN, beginning

LOCK = ".lock"
"""The lock file's name, in the folder that is written. It is removed when the folder is
finished."""

# A killed process keeps its locks until the system has taken its memory back; and a process that
# only checks a lock holds it for a moment.
_PATIENCE_SECONDS = 0.5
_PAUSE_SECONDS = 0.05

_LONGEST = 4096  # bytes of a lock file

# Errors of file systems without locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)

_of_this_process: "WeakValueDictionary[Path, Lock]" = WeakValueDictionary()


class BeingWrittenError(TextureError):
    """Another run is writing the folder."""


class Lock:
    """The right of this process to write a folder. It ends with `release`, with this object, or
    with the process."""

    def __init__(self, folder: Path, file: Path | None = None) -> None:
        """Make a lock that is not taken yet. file: the lock file, `folder/.lock` unless given."""
        self._folder = folder
        self._file = file or folder / LOCK
        self._descriptor: int | None = None

    def take(self, command: str) -> None:
        """Take the lock. command: the command that asks for it. The lock file's folder must exist.
        Nothing happens where this process has the lock already.

        Errors: BeingWrittenError, naming who has it; TextureError when a file or a link of that
        name is not ours.
        """
        key = _key(self._file)
        held = _of_this_process.get(key)
        if held is not None and held._descriptor is not None:
            self._descriptor, held._descriptor = held._descriptor, self._descriptor
        elif not self._take_from_others():
            raise BeingWrittenError(_sentence(self._folder, self._file))
        else:
            self._say_who(command)
        _of_this_process[key] = self

    @contextlib.contextmanager
    def held(self, command: str) -> Iterator[None]:
        """Hold the lock in this block. Errors: as in `take`."""
        self.take(command)
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        if self._descriptor is None:
            return
        # While it is held: whoever waits for it sees that the file is gone, and begins with a new
        # one.
        with contextlib.suppress(OSError):
            self._file.unlink()
        self._let_go()

    def _take_from_others(self) -> bool:
        patience = time.monotonic() + _PATIENCE_SECONDS
        while True:
            check_lock_file(self._file)
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | PLAIN, 0o666)
            try:
                is_ours = _lock(descriptor, fcntl.LOCK_EX)
            except OSError as error:
                os.close(descriptor)
                if error.errno not in _NO_LOCKS:
                    raise
                warnings.warn(
                    f"{shown(self._folder)}: its disk knows no locks; see that no other run writes there",
                    stacklevel=2,
                )
                return True
            if is_ours and _is_still(descriptor, self._file):
                self._descriptor = descriptor
                return True
            os.close(descriptor)
            if not is_ours and time.monotonic() > patience:
                return False
            time.sleep(_PAUSE_SECONDS)

    def _say_who(self, command: str) -> None:
        who = {
            "command": command,
            "process": os.getpid(),
            "host": platform.node(),
            "since": f"{datetime.now():%Y-%m-%d %H:%M}",
        }
        with contextlib.suppress(OSError):  # on a full disk it is a lock all the same
            if self._descriptor is not None:
                os.ftruncate(self._descriptor, 0)
                os.pwrite(self._descriptor, json.dumps(who).encode(), 0)

    def _let_go(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __del__(self) -> None:
        self._let_go()


def is_lock_file(file: Path) -> bool:
    """Return whether a run of ours made the file, judged by its content."""
    content = beginning(file, _LONGEST)
    return content is not None and (not content or _who(content) is not None or _is_cut(content))


def check_lock_file(file: Path) -> None:
    """Check a lock file's origin. Errors: TextureError when something that is not ours has the
    lock's name."""
    is_there = file.is_symlink() or file.exists()
    if is_there and not is_lock_file(file):
        kind = "is a link" if file.is_symlink() else "is no lock of this toolkit"
        # Another run may have removed its own just now.
        if file.is_symlink() or file.exists():
            raise TextureError(
                f"{shown(file)}: {kind}, so nothing is written to it; move it away, or name another folder"
            )


def check_free(folder: Path, file: Path | None = None) -> None:
    """Check that no other process is writing the folder. Errors: BeingWrittenError."""
    file = file or folder / LOCK
    held = _of_this_process.get(_key(file))
    if held is not None and held._descriptor is not None:
        return
    patience = time.monotonic() + _PATIENCE_SECONDS
    while not _is_free(file):
        if time.monotonic() > patience:
            raise BeingWrittenError(_sentence(folder, file))
        time.sleep(_PAUSE_SECONDS)


def wait_until_free(folder: Path) -> None:
    """Wait until no other process is writing the folder."""
    is_said = False
    while True:
        try:
            check_free(folder)
        except BeingWrittenError as reason:
            if not is_said:
                print(f"{str(reason).partition(';')[0]}: waiting for it", file=sys.stderr)
            is_said = True
        else:
            return


def _is_free(file: Path) -> bool:
    try:
        descriptor = os.open(file, os.O_RDONLY | PLAIN)
    # There is none, or it cannot be opened; a run that begins to write gets that error.
    except OSError:
        return True
    try:
        return _lock(descriptor, fcntl.LOCK_SH) or not _is_still(descriptor, file)
    except OSError:
        return True
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int) -> bool:
    """Return whether the lock could be had at once. Errors: OSError where the file system has no
    locks."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(descriptor: int, file: Path) -> bool:
    """Return whether the file of that name is still the one that was opened."""
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False


def _key(file: Path) -> Path:
    """Return the lock file's path, the same however the folder is reached."""
    return file.parent.resolve() / file.name


_SAYS = ("command", "process", "host", "since")


def _who(content: bytes) -> dict[str, Any] | None:
    """Return what a lock of ours says; None when the content is something else."""
    try:
        who = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return who if isinstance(who, dict) and tuple(who) == _SAYS else None


def _is_cut(content: bytes) -> bool:
    """Return whether the content is the beginning of a lock's text, cut off because the disk was
    full."""
    begin = b'{"command": "'
    return content.startswith(begin) or begin.startswith(content)


def _sentence(folder: Path, file: Path) -> str:
    try:
        who = _who(file.read_bytes()) or {}
        day, _, time_of_day = who["since"].partition(" ")
        since = time_of_day if day == f"{datetime.now():%Y-%m-%d}" else who["since"]
        by = f'"{who["command"]}" (process {who["process"]} on {who["host"]}, since {since})'
    except (OSError, KeyError, TypeError, AttributeError):  # it has just begun, or the disk is full
        by = "another run"
    return f"{shown(folder)}: is being written by {by}; wait for it, or stop it"


def _let_go_of_all() -> None:
    for lock in list(_of_this_process.values()):
        lock._let_go()


# A copy of this process would keep the lock for as long as it lives. (Closing does not unlock it
# for the process itself.)
os.register_at_fork(after_in_child=_let_go_of_all)

"""Temporary folders that no other user of the machine can read. The next run removes those that
killed runs have left.

A lock in the folder says whether it is still in use, and the system releases it however its process
ends. A process number would say nothing where several containers or hosts share the folder for
temporary files.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"

_descriptors: set[int] = set()
"""Descriptors of the locks that this process holds."""


@contextmanager
def private_folder(
    prefix: str, parent: Path | None = None, tidy: Callable[[Path], None] | None = None
) -> Iterator[Path]:
    """Make a folder with mode 0700, which is removed when the block ends; before that, remove those
    that dead runs have left.

    prefix: beginning of its name, and of the names of the folders that are examined. parent: where
    it lies, the folder for temporary files unless given. tidy: called for a folder that a dead run
    has left, before it is removed.
    """
    parent = parent or Path(tempfile.gettempdir())
    for left in _left_by_the_dead(parent, prefix):
        if tidy:
            tidy(left)
        _remove(left)
    # Under its own name only once it is locked: else another run could take it for one that was
    # left.
    made = Path(tempfile.mkdtemp(prefix=f"new-{prefix}", dir=parent))
    descriptor = os.open(made / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    _descriptors.add(descriptor)
    # A file system without locks: then nobody can tell whether it is in use, and it stays.
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    folder = made.rename(made.with_name(made.name.removeprefix("new-")))
    process = os.getpid()
    try:
        yield folder
    finally:
        if os.getpid() == process:  # and not a copy of it
            _remove(folder)
            _descriptors.discard(descriptor)
            os.close(descriptor)


def _left_by_the_dead(parent: Path, prefix: str) -> Iterator[Path]:
    for folder in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # it may disappear meanwhile
            found = folder.lstat()
            if (
                stat.S_ISDIR(found.st_mode)
                and found.st_uid == os.getuid()
                and _is_free(folder / LOCK)
            ):
                yield folder


def _is_free(lock: Path) -> bool:
    """Return whether nobody holds the folder's lock; false where there is none, or where the file
    system has no locks."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)


def _remove(folder: Path) -> None:
    """Remove a folder, its lock last: if the process is killed on the way, the next run still
    removes the rest."""
    with contextlib.suppress(OSError):  # somebody may still write there, or remove it too
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != LOCK:
                path.unlink(missing_ok=True)
        (folder / LOCK).unlink(missing_ok=True)
        folder.rmdir()


def _let_go_of_all() -> None:
    for descriptor in _descriptors:
        os.close(descriptor)
    _descriptors.clear()


# A copy of this process would hold the locks for as long as it lives.
os.register_at_fork(after_in_child=_let_go_of_all)

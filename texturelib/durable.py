"""Make sure that files are on the disk, not only in the system's memory, which a power cut
empties."""

import ctypes
import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

_SECONDS = 2.0  # between syncs during a job, so that little is left at its end

# Errors of file systems that cannot sync a folder, and need not.
_NO_SYNC_OF_FOLDERS = (errno.EINVAL, errno.EBADF, errno.ENOTSUP)


def sync_folder(folder: Path) -> None:
    """Return when everything in `folder` is on its disk, including names.

    On Linux this is one sync of the whole file system, which is much faster than a sync of each
    file, but also waits for what others have written there; elsewhere it is a sync of each file.
    Errors: OSError when the disk cannot take it.
    """
    syncfs = _syncfs()
    if syncfs is None:
        for parent, _, names in os.walk(folder):
            for name in names:
                if not (file := Path(parent, name)).is_symlink():
                    sync_file(file)
            sync_file(Path(parent))
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(descriptor):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Return when a file's content, or a folder's names, are on the disk. Errors: OSError when the
    disk cannot take it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not (path.is_dir() and error.errno in _NO_SYNC_OF_FOLDERS):
            raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from None
    finally:
        os.close(descriptor)


def sync_files(*paths: Path) -> None:
    """Return when these files are on the disk, with their names. Errors: OSError when the disk
    cannot take them."""
    for path in dict.fromkeys([*paths, *(path.parent for path in paths)]):
        sync_file(path)


@contextmanager
def synced_meanwhile(folder: Path) -> Iterator[None]:
    """Sync `folder` every few seconds while the block runs, so that the sync at its end has little
    left to write.

    Does nothing where every file would have to be synced by itself.
    """
    if _syncfs() is None:
        yield
        return
    is_over = threading.Event()

    def sync() -> None:
        while not is_over.wait(_SECONDS):
            with suppress(OSError):  # the sync at the end will raise it, too
                sync_folder(folder)

    # Not waited for: on a slow disk, a sync may take longer than a person waits after Ctrl-C.
    threading.Thread(target=sync, daemon=True).start()
    try:
        yield
    finally:
        is_over.set()


@cache
def _syncfs() -> Any:
    """Return the system's `syncfs`, which takes a descriptor; None where there is none, as on
    macOS."""
    return getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)

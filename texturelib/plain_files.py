"""Files as the system sees them, without following links."""

import os
import stat
from pathlib import Path
from typing import IO

# Do not follow links, and do not wait for the other end of a pipe.
PLAIN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def facts(path: Path) -> os.stat_result | None:
    """Return what `Path.lstat` does, None where nothing is there."""
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_link(path: str) -> bool:
    """Return whether a link is there."""
    try:
        return stat.S_ISLNK(os.lstat(path).st_mode)
    except OSError:
        return False


def open_plain(path: Path, flags: int) -> IO[bytes]:
    """Open a plain file. Errors: OSError, also when it is a link or not a plain file."""
    descriptor = os.open(path, flags | PLAIN)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path}: not a plain file")
    return os.fdopen(
        descriptor, "rb" if flags & os.O_ACCMODE == os.O_RDONLY else "r+b", buffering=0
    )


def beginning(path: str | Path, n_bytes: int) -> bytes | None:
    """Return a plain file's first bytes, at most so many; None where no plain file can be opened."""
    try:
        descriptor = os.open(path, os.O_RDONLY | PLAIN)
    except OSError:
        return None
    try:
        is_plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return os.read(descriptor, n_bytes) if is_plain else None
    finally:
        os.close(descriptor)


def write_whole(descriptor: int, content: bytes) -> None:
    """Write all of the content, in as many writes as the system takes."""
    while content:
        content = content[os.write(descriptor, content) :]

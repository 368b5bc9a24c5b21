"""A record of what an item of a job has written, with sizes and checksums, so that a later run
can check that it is still there."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

import xxhash

_BLOCK = 2**20  # bytes that are read at a time

_record: ContextVar["dict[tuple[Path, int | None], Piece] | None"] = ContextVar(
    "record", default=None
)


class Piece(NamedTuple):
    """A file, or a part of one.

    name: relative to the folder of the record. digest: XXH3, 64 bits, in hexadecimal. start:
    position of the part in the file; None when it is the whole file.
    """

    name: str
    n_bytes: int
    digest: str
    start: int | None = None

    def is_in(self, folder: Path) -> bool:
        """Return whether the piece is in the folder as it was written. Links are not followed."""
        path = folder / self.name
        if Path(self.name).is_absolute() or ".." in Path(self.name).parts:
            return False
        try:
            # Opening a pipe in its place would otherwise wait.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except (OSError, ValueError):
            return False
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            start = self.start or 0
            is_long_enough = (
                facts.st_size == self.n_bytes
                if self.start is None
                else facts.st_size >= start + self.n_bytes
            )
            if not stat.S_ISREG(facts.st_mode) or not is_long_enough:
                return False
            file.seek(start)
            try:
                return _digest_of(file, self.n_bytes) == self.digest
            except OSError:  # a damaged disk
                return False


@contextmanager
def recorded(folder: Path) -> Iterator[list[Piece]]:
    """Yield a list that, when the block has ended, holds everything that this thread has written
    into `folder` in the block."""
    pieces: list[Piece] = []
    record: dict[tuple[Path, int | None], Piece] = {}  # the last write counts
    token = _record.set(record)
    try:
        yield pieces
    finally:
        _record.reset(token)
    for (path, _), piece in record.items():
        name = os.path.relpath(path, folder)
        if not name.startswith("..") and path.exists():  # it may have been removed again
            pieces.append(piece._replace(name=name))


def record_file(path: Path, content: Path) -> None:
    """Record that `path` is a whole file that was written, and holds `content` now."""
    record = _record.get()
    if record is not None:
        n_bytes = content.stat().st_size
        with content.open("rb") as file:
            record[path, None] = Piece("", n_bytes, _digest_of(file, n_bytes))


def record_part(path: Path, start: int, content: bytes) -> None:
    """Record that `content` was written into `path`, beginning at the byte `start`."""
    record = _record.get()
    if record is not None:
        record[path, start] = Piece("", len(content), xxhash.xxh3_64_hexdigest(content), start)


def piece_from(described: Any) -> Piece | None:
    """Make a piece from an entry of a journal, None when it is something else."""
    if not isinstance(described, list) or len(described) != len(Piece._fields):
        return None
    name, n_bytes, digest, start = described
    if (
        type(name) is not str
        or type(n_bytes) is not int
        or type(digest) is not str
        or type(start) not in (int, type(None))
    ):
        return None
    return Piece(name, n_bytes, digest, start) if min(n_bytes, start or 0) >= 0 else None


def _digest_of(file: Any, n_bytes: int) -> str:
    digest = xxhash.xxh3_64()
    while n_bytes > 0 and (block := file.read(min(n_bytes, _BLOCK))):
        digest.update(block)
        n_bytes -= len(block)
    return digest.hexdigest()

"""Keep off the terminal what C libraries print about a file."""

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator

_OF_MPG123 = re.compile(rb"^(\[.*mpg123.*\] .*|Note: .*|Warning: .*|mpg123.*|)$")

_lock = threading.Lock()
_n_inside = 0
_n_entered = 0
_terminal = -1
_paper = -1


@contextlib.contextmanager
def hushed_mpg123(words: list[str]) -> Iterator[None]:
    """Keep off the terminal what libmpg123 prints within the block: it names no file, and cannot be
    told to be quiet.

    words: receives its lines, unless other threads were in such a block at the same time, when
    nobody knows whose lines they are. What others print meanwhile reaches the terminal when the
    block ends.
    """
    entered = _enter()
    try:
        yield
    finally:
        _leave(words, entered)


def _enter() -> int:
    global _n_inside, _n_entered, _terminal, _paper
    with _lock:
        _n_entered += 1
        if _n_inside == 0:
            _terminal = -1
            # Without a terminal, there is nothing to keep off it.
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.flush()
                if _paper < 0:
                    with tempfile.TemporaryFile() as file:
                        _paper = os.dup(file.fileno())
                _terminal = os.dup(2)
                os.dup2(_paper, 2)
        _n_inside += 1
        return _n_entered if _n_inside == 1 else -1


def _leave(words: list[str], entered: int) -> None:
    global _n_inside
    with _lock:
        _n_inside -= 1
        if _n_inside or _terminal < 0:
            return
        os.dup2(_terminal, 2)
        os.close(_terminal)
        printed = os.pread(_paper, os.fstat(_paper).st_size, 0)
        if not printed:
            return
        os.lseek(_paper, 0, os.SEEK_SET)
        os.ftruncate(_paper, 0)
        lines = printed.split(b"\n")
        if entered == _n_entered:
            words += [
                line.decode(errors="replace") for line in lines if line and _OF_MPG123.match(line)
            ]
        if any(not _OF_MPG123.match(line) for line in lines):
            os.write(
                2, b"\n".join(line for line in lines if not line or not _OF_MPG123.match(line))
            )

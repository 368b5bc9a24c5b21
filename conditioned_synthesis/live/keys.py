"""Keys of the terminal, one at a time."""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_NAMES = {"\x1b[A": "up", "\x1b[B": "down", "\x1b[C": "right", "\x1b[D": "left"}
# As terminals in application mode send them.
_NAMES |= {code.replace("[", "O"): name for code, name in _NAMES.items()}


def keys_in(text: str) -> list[str]:
    """Return the keys that were pressed, of what a terminal sent.

    >>> keys_in("q\\x1b[A+")
    ['q', 'up', '+']
    """
    found, place = [], 0
    while place < len(text):
        code = text[place : place + 3]
        if code in _NAMES:
            found.append(_NAMES[code])
            place += 3
        else:
            found.append(text[place])
            place += 1
    return found


@contextmanager
def keyboard() -> Iterator[bool]:
    """Let keys be read one at a time while the block runs. Yields whether that works: not where
    the input is no terminal, nor on Windows."""
    try:
        import termios
        import tty
    except ModuleNotFoundError:
        yield False
        return
    if not sys.stdin.isatty():
        yield False
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield True
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def pressed_keys(seconds: float) -> list[str]:
    """Return the keys that are pressed within so many seconds, soon after the first one."""
    if not select.select([sys.stdin], [], [], seconds)[0]:
        return []
    return keys_in(os.read(sys.stdin.fileno(), 64).decode(errors="ignore"))

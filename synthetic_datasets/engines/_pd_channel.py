"""A connection between this process and a Pure Data that it starts, which no other user of the
machine gets into.

Pure Data listens nowhere: its [dataset_receiver] connects to us, and shows that it is ours by a
word that it finds in a file which nobody else can read. (A port of its own could be shared by any
program: Pd's sockets allow that.) Messages go as Pd writes them in its files, words that end with a
semicolon.
"""

import os
import re
import secrets
import selectors
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import numpy as np

from synthetic_datasets.engines._ports import LOOPBACK
from synthetic_datasets.engines._session import Message, Unread

_SPECIAL = re.compile(r"([\s;,\\$])")
_MESSAGE = re.compile(rb"((?:[^;\\]|\\.)*);\n?", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_WORD = re.compile(r"(?:[^\s\\]|\\.)+", re.DOTALL)
_LOOKS_PER_SECOND = 10

# Opened after the patch, so that the patch is there when these messages come. Other than on its
# command line, nobody sees them.
_INTRODUCTION = """#N canvas 0 0 450 300 12;
#X obj 10 10 loadbang;
#X msg 10 40 \\; fast 1 \\; pd dsp 1 \\; dataset_session {port} {word};
#X connect 0 0 1 0;
"""


class PdChannel:
    """A Channel to a Pure Data of ours. Use as a context."""

    place = "its own connection"
    reply_place = place

    def __init__(self) -> None:
        self._word = f"word_{secrets.token_hex(16)}"
        self._listening = socket.create_server((LOOPBACK, 0))
        self._connection: socket.socket | None = None
        self._read = b""

    def __enter__(self) -> "PdChannel":
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        if self._connection:
            self._connection.close()

    def write_introduction(self, path: Path) -> None:
        """Write the patch that Pure Data should open after the one that it plays. path: in a folder
        of our own."""
        path.write_text(
            _INTRODUCTION.format(port=self._listening.getsockname()[1], word=self._word)
        )

    def connect(self, seconds: float, look: Callable[[], None]) -> bool:
        """Return whether our Pure Data came in this time. Raises what `look` raises."""
        ready = f"ready {self._word};\n".encode()
        deadline = time.monotonic() + seconds
        with ExitStack() as strangers, selectors.DefaultSelector() as selector:
            strangers.enter_context(self._listening)
            selector.register(self._listening, selectors.EVENT_READ)
            while time.monotonic() < deadline:
                look()
                for key, _ in selector.select(1 / _LOOKS_PER_SECOND):
                    if key.fileobj is self._listening:
                        caller, _ = self._listening.accept()
                        selector.register(
                            strangers.enter_context(caller), selectors.EVENT_READ, bytearray()
                        )
                        continue
                    caller, said = cast("socket.socket", key.fileobj), key.data
                    said += (came := _received(caller))
                    if secrets.compare_digest(said, ready):
                        self._connection = caller.dup()
                        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        return True
                    if not came or not ready.startswith(said):
                        selector.unregister(caller)
                        caller.close()
        return False

    def introduce(self) -> None:
        """It replies where it listens."""

    def send(self, name: str, *values: str | float) -> None:
        assert self._connection
        self._connection.settimeout(None)
        self._connection.sendall(os.fsencode(f"{' '.join([name, *map(_written, values)])};\n"))

    def receive(self, seconds: float) -> list[Message | Unread]:
        assert self._connection
        self._connection.settimeout(seconds)
        try:
            came = _received(self._connection)
        except TimeoutError:
            return []
        if not came:
            time.sleep(seconds)  # it has closed the connection, as it ends
        self._read += came
        messages: list[Message | Unread] = []
        at = 0
        while match := _MESSAGE.match(self._read, at):
            at = match.end()
            if words := [
                _ESCAPED.sub(r"\1", word) for word in _WORD.findall(os.fsdecode(match[1]))
            ]:
                messages.append(Message(words[0], tuple(words[1:])))
        self._read = self._read[at:]
        return messages


def _received(connection: socket.socket) -> bytes:
    """Return what came, nothing when it is closed."""
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""


def _written(value: str | float) -> str:
    """Return a word of a message to Pure Data, whose numbers are 32-bit floats."""
    if isinstance(value, str):
        return _SPECIAL.sub(r"\\\1", value)
    return f"{np.float32(value):.9g}"

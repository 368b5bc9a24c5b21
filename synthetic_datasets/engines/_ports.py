"""UDP ports on this machine's own address."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from texturelib.errors import TextureError

LOOPBACK = "127.0.0.1"
_GUARDS = "127.0.0.2"


def bound(port: int) -> socket.socket:
    """-> a socket that listens on loopback. Errors: TextureError when another program has the port."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listening.bind((LOOPBACK, port))
    except OSError as error:
        listening.close()
        reason = "another program has it" if error.errno == errno.EADDRINUSE else error.strerror
        raise TextureError(f"receive_port: cannot listen on {LOOPBACK}:{port} ({reason}); name another port") from None
    return listening


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port on loopback for a program that we start, held for it against all others of ours while the block lasts.

    Two Pure Datas may bind one port without a word, and then share what is sent. So we keep the same number on another
    loopback address, which only one can have.
    """
    while True:
        with bound(0) as free, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as guard:
            port: int = free.getsockname()[1]
            try:
                guard.bind((_GUARDS, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
                # Only Linux has all of 127.0.0.0/8.
            free.close()
            yield port
            return

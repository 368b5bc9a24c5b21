"""UDP ports on this machine's own address."""

import errno
import socket

from texturelib.errors import TextureError

LOOPBACK = "127.0.0.1"


def bound(port: int) -> socket.socket:
    """Return a socket that listens on loopback. Errors: TextureError when another program has the
    port."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listening.bind((LOOPBACK, port))
    except OSError as error:
        listening.close()
        reason = "another program has it" if error.errno == errno.EADDRINUSE else error.strerror
        raise TextureError(
            f"receive_port: cannot listen on {LOOPBACK}:{port} ({reason}); name another port"
        ) from None
    return listening

"""Messages to a patch and back as OSC over UDP, on loopback.

Any program on this machine may send to either port: docs/security.md says what that means.
"""

import socket
from collections.abc import Iterator

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from synthetic_datasets.engines._ports import LOOPBACK, bound
from synthetic_datasets.engines._session import Message, Unread

_BUNDLE = b"#bundle\0"
_TIME_TAG_BYTES = 8


class OscChannel:
    """A Channel over OSC. Use as a context.

    send_port: where the patch listens. receive_port: where it is told to reply; 0 takes any free
    one. leading_slash: whether the addresses that it is sent begin with one.
    """

    def __init__(self, send_port: int, receive_port: int, leading_slash: bool) -> None:
        self._slash = "/" if leading_slash else ""
        self._in = bound(receive_port)
        self.receive_port: int = self._in.getsockname()[1]
        # A connected socket hears when nobody listens at the other end.
        self._out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._out.connect((LOOPBACK, send_port))
        self.place = f"{LOOPBACK}:{send_port}"
        self.reply_place = f"port {self.receive_port}"

    def __enter__(self) -> "OscChannel":
        return self

    def __exit__(self, *_: object) -> None:
        self._in.close()
        self._out.close()

    def introduce(self) -> None:
        self.send("maxPDToPy_OSCPortNumber", self.receive_port)

    def send(self, name: str, *values: str | float) -> None:
        message = OscMessageBuilder(self._slash + name)
        for value in values:
            message.add_arg(value)
        self._out.send(message.build().dgram)

    def receive(self, seconds: float) -> list[Message | Unread]:
        self._in.settimeout(seconds)
        try:
            return list(_messages(self._in.recv(65536)))
        except TimeoutError:
            return []


def _messages(datagram: bytes) -> Iterator[Message | Unread]:
    """Return the message, or those of a bundle, whose time tags mean nothing here; in their
    order."""
    ahead = [datagram]
    while ahead:
        packet = ahead.pop()
        if packet.startswith(_BUNDLE):
            ahead += reversed(list(_elements(packet[len(_BUNDLE) + _TIME_TAG_BYTES :])))
        else:
            yield _message(packet)


def _elements(content: bytes) -> Iterator[bytes]:
    """Yield each message or bundle in a bundle; after a wrong length, the rest as it is. content:
    what follows its time tag."""
    while content:
        n_bytes = int.from_bytes(content[:4], "big", signed=True)
        if not 0 < n_bytes <= len(content) - 4:
            yield content
            return
        yield content[4 : 4 + n_bytes]
        content = content[4 + n_bytes :]


def _message(packet: bytes) -> Message | Unread:
    try:
        message = OscMessage(packet)
    except Exception:  # the parser has errors of several kinds, and checks little
        return Unread(packet)
    return Message(message.address.lstrip("/"), tuple(message.params))

"""What comes to the port where a patch's replies are awaited."""

from collections.abc import Callable
from pathlib import Path

from hypothesis import strategies as st
from mangling import mangled
from pythonosc.osc_message_builder import OscMessageBuilder

Fuzz = Callable[..., None]


def message(address: str, *values: object, types: str = "") -> bytes:
    builder = OscMessageBuilder(address)
    for value, type_ in zip(values, types, strict=True):
        builder.add_arg(value, type_)  # type: ignore[arg-type]
    return builder.build().dgram


MESSAGES = [
    message("/audioFileRecording_Ended", "/tmp/1_0.wav", types="s"),
    message("audioFileRecording_Error"),
    message("/ready", 1, 0.5, "x", b"blob", True, types="ifsbT"),
    message("/a", 1.0, 2**40, (0, 1, 2, 3), types="dhm"),
    b"/time\0\0\0,t\0\0" + bytes(8),
    b"/lists\0\0,[[i]f]\0\0\0\0\0\0\0\1\0\0\0\0",
    b"#bundle\0" + bytes(8) + b"\0\0\0\x0c/a\0\0,i\0\0\0\0\0\1",
    b"/deep\0\0\0," + b"[" * 2000 + b"]" * 2000 + b"\0" * 3,
]


def test_a_datagram_from_anybody_does_not_end_the_session(fuzz: Fuzz, tmp_path: Path) -> None:
    fuzz(
        "osc_message",
        st.one_of(mangled(MESSAGES), st.binary(max_size=64)),
        tmp_path / "datagram",
        names=False,
    )

"""The length of a FLAC, found from its last frame. Source of the layout: RFC 9639, 8.2 and 9.1."""

import re
from dataclasses import dataclass
from pathlib import Path

_TAIL = 2**18  # bytes: a frame seldom has more than 2^15
_SYNC = re.compile(rb"\xff[\xf8\xf9]")
# -8, -16: bits of it.
_BLOCK_SIZES = (
    0,
    192,
    576,
    1152,
    2304,
    4608,
    -8,
    -16,
    256,
    512,
    1024,
    2048,
    4096,
    8192,
    16384,
    32768,
)


@dataclass(frozen=True)
class FlacLength:
    """The number of samples per channel in a FLAC, announced and found.

    n_announced: according to the header, 0: unknown. n_found: according to the last frame, None
    where none was found. n_samples_at: position of the header's number in the file, which shares
    its first byte with 4 bits of something else.
    """

    n_announced: int
    n_found: int | None
    n_samples_at: int


def flac_length(path: Path, at: int) -> FlacLength | None:
    """Return the number of samples per channel; None where the header is damaged.

    at: position of "fLaC".
    """
    with path.open("rb") as file:
        file.seek(at)
        head = file.read(42)
        if len(head) < 42 or head[4] & 0x7F:
            return None
        size = file.seek(0, 2)
        file.seek(max(at + 42, size - _TAIL))
        tail = file.read()
    block_size = int.from_bytes(head[8:10], "big")
    n_channels = (head[20] >> 1 & 7) + 1
    n_announced = int.from_bytes(head[21:26], "big") & (2**36 - 1)
    for found in reversed(list(_SYNC.finditer(tail))):
        end = _end_of_frame(tail[found.start() : found.start() + 16], block_size, n_channels)
        if end is not None:
            return FlacLength(n_announced, end, at + 21)
    return FlacLength(n_announced, None, at + 21)


def _end_of_frame(header: bytes, block_size: int, n_channels: int) -> int | None:
    """Return the number of the sample after the frame's last; None when this is not the header
    of a frame."""
    if len(header) < 6 or header[3] & 1:
        return None
    channels = header[3] >> 4
    if channels > 10 or (channels + 1 if channels < 8 else 2) != n_channels:
        return None
    n_coded = 1 if header[4] < 0x80 else 8 - (header[4] ^ 0xFF).bit_length()  # as in UTF-8
    if n_coded in (0, 8) or (n_coded == 1 and header[4] >= 0x80):
        return None
    number = header[4] if n_coded == 1 else header[4] & (0x7F >> n_coded)
    for byte in header[5 : 4 + n_coded]:
        if byte & 0xC0 != 0x80:
            return None
        number = number << 6 | byte & 0x3F
    at = 4 + n_coded
    size = _BLOCK_SIZES[header[2] >> 4]
    if size == 0:
        return None
    if size < 0:
        n_bytes = -size // 8
        size = int.from_bytes(header[at : at + n_bytes], "big") + 1
        at += n_bytes
    at += {12: 1, 13: 2, 14: 2}.get(header[2] & 15, 0)
    if len(header) <= at or _crc_8(header[:at]) != header[at]:
        return None
    is_of_samples = header[1] & 1  # else the number is that of the frame
    return (number if is_of_samples else number * block_size) + size


def _crc_8(content: bytes) -> int:
    remainder = 0
    for byte in content:
        remainder ^= byte
        for _ in range(8):
            remainder = (remainder << 1 ^ 0x07) & 0xFF if remainder & 0x80 else remainder << 1
    return remainder

"""The file of a portable instrument: a header in JSON, and tensors.

    8 bytes   "texinst" and a line feed
    uint32    version of the format
    uint32    length of the header in bytes, a multiple of 8
    ...       the header, JSON in UTF-8, filled up with spaces
    ...       tensors one after another, each filled up to a multiple of 8 bytes
    uint32    CRC-32 of all that comes before

All numbers are little-endian. The header's `tensors` gives of each its name, shape, type and first
byte, counted from the end of the header.
"""

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from texturelib.errors import TextureError
from texturelib.files import shown

MAGIC = b"texinst\n"
VERSION = 1
_ALIGNED = 8
_TYPES = {"float16": "<f2", "float32": "<f4", "int16": "<i2", "uint8": "u1"}

Precision = Literal["float16", "float32"]
"""Of the weights of a network."""
Quality = Literal["lossless", "high", "small"]
"""Of the recordings in an instrument of grains."""


@dataclass(frozen=True)
class PortableInstrument:
    """What the file holds. header: without `tensors`."""

    header: Mapping[str, Any]
    tensors: Mapping[str, np.ndarray]


def to_bytes(instrument: PortableInstrument) -> bytes:
    """Return the content of the file. Tensors are float16, float32, int16 or
    uint8."""
    entries, parts, place = [], [], 0
    for name, tensor in instrument.tensors.items():
        kind = tensor.dtype.name
        content = np.ascontiguousarray(tensor, dtype=_TYPES[kind]).tobytes()
        entries.append({"name": name, "shape": list(tensor.shape), "type": kind, "begin": place})
        parts.append(_filled(content, b"\0"))
        place += len(parts[-1])
    text = json.dumps({**instrument.header, "tensors": entries}, ensure_ascii=False)
    header = _filled(text.encode(), b" ")
    content = MAGIC + struct.pack("<II", VERSION, len(header)) + header + b"".join(parts)
    return content + struct.pack("<I", zlib.crc32(content))


def read_instrument_file(path: Path) -> PortableInstrument:
    """Read the file. Errors: TextureError when it is none, is damaged or is of a later version."""
    content = path.read_bytes()
    if not content.startswith(MAGIC):
        raise TextureError(
            f"{shown(path)}: no portable instrument (it does not begin with texinst)"
        )
    try:
        return _parse(content)
    except _DamagedError as error:
        raise TextureError(f"{shown(path)}: {error}") from None


class _DamagedError(Exception):
    pass


def _parse(content: bytes) -> PortableInstrument:
    begin = len(MAGIC) + 8
    if len(content) < begin + 4:
        raise _DamagedError(f"is cut off after {len(content)} bytes")
    version, n_header = struct.unpack_from("<II", content, len(MAGIC))
    if version != VERSION:
        raise _DamagedError(f"has version {version} of the format; this reads version {VERSION}")
    (digest,) = struct.unpack_from("<I", content, len(content) - 4)
    if zlib.crc32(content[:-4]) != digest:
        raise _DamagedError("is cut off or damaged (its checksum is wrong)")
    try:
        header = json.loads(content[begin : begin + n_header])
        body = content[begin + n_header : -4]
        tensors = {
            each["name"]: np.frombuffer(
                body, _TYPES[each["type"]], int(np.prod(each["shape"])), each["begin"]
            ).reshape(each["shape"])
            for each in header.pop("tensors")
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _DamagedError(f"has a header that cannot be read ({error})") from None
    return PortableInstrument(header, tensors)


def _filled(content: bytes, with_what: bytes) -> bytes:
    return content + with_what * (-len(content) % _ALIGNED)

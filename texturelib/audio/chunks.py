"""Find the samples in files that are made of chunks (wav and its kin, aiff, caf, au), and
compare them with what the headers say."""

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from texturelib.audio.kinds import Kind
from texturelib.audio.pieces import Piece

_LONGEST_HEAD = 2**24  # bytes before the samples: broadcast wavs carry long texts there
_LEAST_SOUND = 2048  # bytes after the samples that count as more samples; padding is shorter
_OTHER_THINGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICS", b"<?xml", b"<x:xmpmeta")
_PRINTABLE = re.compile(rb"[ -~]{4}")
_CHUNKS = re.compile(
    rb"LIST|bext|id3 |ID3 |cue |smpl|inst|JUNK|junk|FLLR|PAD |PEAK|fact|iXML|_PMX|afsp|axml|levl|link|plst|"
    rb"ANNO|NAME|AUTH|\(c\) |MARK|INST|COMT|APPL|MIDI|AESD|strg|peak|info|midi|free|uuid|mark|regn"
)
"""Names of chunks that may follow the samples; such a chunk is not sound, even if it is cut off."""


@dataclass(frozen=True)
class Samples:
    """What a header says about the samples, and what is really there.

    share_present: the share of the announced samples that is there, up to 1. share_announced: the
    share of the samples there that the header announces, where it announces too few. pieces: the
    file with a corrected header; None where its own header is right.
    """

    share_present: float = 1.0
    share_announced: float | None = None
    pieces: tuple[Piece, ...] | None = None


@dataclass(frozen=True)
class _Layout:
    """How the chunks of one format are laid out.

    first: position of the first chunk. counts_itself: whether a chunk's size includes its own name
    and size. unknown: sizes from here on mean that the size is not known, as written by programs
    that write into a pipe.
    """

    first: int
    name_bytes: int
    size_format: str
    samples: bytes
    unknown: int
    align: int = 1
    counts_itself: bool = False

    @property
    def n_head(self) -> int:
        return self.name_bytes + struct.calcsize(self.size_format)

    def read(self, head: bytes) -> tuple[bytes, int]:
        """Return a chunk's name, and how many bytes follow."""
        (n_bytes,) = struct.unpack(self.size_format, head[self.name_bytes : self.n_head])
        return head[: self.name_bytes], n_bytes - self.n_head if self.counts_itself else n_bytes


_LAYOUTS: dict[Kind, _Layout] = {
    "wav": _Layout(12, 4, "<I", b"data", 0x7FFF0000, align=2),
    "rf64": _Layout(12, 4, "<I", b"data", 0x7FFF0000, align=2),
    "aiff": _Layout(12, 4, ">I", b"SSND", 0x7FFF0000, align=2),
    "caf": _Layout(8, 4, ">q", b"data", 2**62),
    "w64": _Layout(
        40,
        16,
        "<Q",
        b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a",
        2**62,
        align=8,
        counts_itself=True,
    ),
}


def find_samples(path: Path, kind: Kind, at: int = 0) -> Samples:
    """Find the samples of a file, and judge what its header says about them.

    at: position where the file's own content begins, after tags.
    """
    with path.open("rb") as file:
        return _of_au(file, at) if kind == "au" else _of_chunks(file, kind, at)


def _of_au(file: BinaryIO, at: int) -> Samples:
    size = file.seek(0, 2)
    file.seek(at)
    head = file.read(12)
    if len(head) < 12:
        return Samples()
    offset, announced = struct.unpack(">II", head[4:])
    start = at + offset
    found = _judge(file, start, announced if announced < 0xFFFFFFFF else None, size, None)
    if found is None:
        return Samples(share_present=_share(size - start, announced))
    file.seek(at)
    header = bytearray(file.read(offset))
    struct.pack_into(">I", header, 8, min(size - start, 0xFFFFFFFE))
    return Samples(share_announced=found, pieces=(bytes(header), (start, size)))


def _of_chunks(file: BinaryIO, kind: Kind, at: int) -> Samples:
    layout = _LAYOUTS[kind]
    size = file.seek(0, 2)
    places: dict[bytes, int] = {}
    place = at + layout.first
    while place + layout.n_head <= size:
        file.seek(place)
        name, n_bytes = layout.read(file.read(layout.n_head))
        start = place + layout.n_head
        if name == layout.samples:
            announced = _from_ds64(file, at) if kind == "rf64" else n_bytes
            if announced is not None and not 0 <= announced < layout.unknown:
                announced = None
            found = _judge(file, start, announced, size, layout)
            if found is None:
                return Samples(share_present=_share(size - start, announced or 0))
            file.seek(at)
            header = (
                bytearray(file.read(start - at)) if start - at <= _LONGEST_HEAD else bytearray()
            )
            if not header:
                return Samples()
            mended = _mended(
                header,
                kind,
                layout,
                {name: each - at for name, each in places.items()},
                size - start,
                announced,
            )
            return Samples(share_announced=found, pieces=(mended, (start, size)))
        places[name] = place
        if not 0 <= n_bytes <= size:
            break
        place = start + n_bytes + -n_bytes % layout.align
    return Samples()


def _judge(
    file: BinaryIO, start: int, announced: int | None, size: int, layout: _Layout | None
) -> float | None:
    """Return the share of the samples that the header announces, where it announces too few; None
    where nothing is to be corrected.

    start: position of the samples. announced: their bytes according to the header; None or 0: it
    does not say. size: bytes of the file.
    """
    there = size - start
    if announced is None:
        return 1.0 if there > 0 else None
    end = start + announced + (announced % layout.align if layout else 0)
    return (announced / there or 1.0) if _is_sound(file, end, size, layout) else None


def _is_sound(file: BinaryIO, at: int, size: int, layout: _Layout | None) -> bool:
    """Return whether what follows the samples must be more samples: it is no chunk, no tag and no
    padding."""
    if size - at < _LEAST_SOUND:
        return False
    file.seek(at)
    rest = file.read(_LEAST_SOUND)
    if rest.startswith(_OTHER_THINGS) or len(set(rest)) == 1:
        return False
    if layout is None:
        return True
    name, n_bytes = layout.read(rest)
    return not (_CHUNKS.match(name) or (_PRINTABLE.match(name) and 0 <= n_bytes <= size - at))


def _from_ds64(file: BinaryIO, at: int) -> int | None:
    file.seek(at + 12)
    chunk = file.read(24)
    return (
        struct.unpack("<Q", chunk[16:24])[0] if len(chunk) == 24 and chunk[:4] == b"ds64" else None
    )


def _mended(
    header: bytearray,
    kind: Kind,
    layout: _Layout,
    places: dict[bytes, int],
    there: int,
    announced: int | None,
) -> bytes:
    """Return a header with the right sizes.

    header: everything before the samples. places: positions of its chunks. there: bytes of samples
    in the file. announced: bytes of samples according to the header.
    """
    size_at = len(header) - struct.calcsize(layout.size_format)
    size = len(header) + there
    if kind == "rf64" or (kind == "wav" and size >= 0x7FFF0000):
        return _as_rf64(header, size, there)
    if kind == "w64":
        struct.pack_into("<Q", header, size_at, there + layout.n_head)
        struct.pack_into("<Q", header, 16, size)
    elif kind == "caf":
        struct.pack_into(">q", header, size_at, there)
    else:
        struct.pack_into(layout.size_format, header, size_at, there)
        struct.pack_into(layout.size_format, header, 4, size - 8)
        if kind == "aiff" and b"COMM" in places:
            n_channels, n_frames, n_bits = struct.unpack_from(">HIH", header, places[b"COMM"] + 8)
            by_bits = (there - 8) // max(1, n_channels * ((n_bits + 7) // 8))
            n_frames = n_frames * there // announced if announced and n_frames else by_bits
            struct.pack_into(">I", header, places[b"COMM"] + 10, min(n_frames, 0xFFFFFFFF))
    return bytes(header)


def _as_rf64(header: bytearray, size: int, there: int) -> bytes:
    """Turn the header of a wav or RF64 into that of an RF64, since a wav's cannot hold sizes
    beyond 4 GB."""
    chunks = bytes(header[12:])
    if chunks[:4] == b"ds64":
        chunks = chunks[8 + struct.unpack("<I", chunks[4:8])[0] :]
    size = 12 + 36 + len(chunks) + there
    ds64 = struct.pack("<4sIQQQI", b"ds64", 28, size - 8, there, 0, 0)
    return b"RF64" + b"\xff" * 4 + b"WAVE" + ds64 + chunks[:-4] + b"\xff" * 4


def _share(present: int, announced: int) -> float:
    return max(0.0, min(1.0, present / announced)) if announced > 0 else 1.0

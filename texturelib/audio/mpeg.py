"""Frames of MPEG audio (mp3, mp2), counted without decoding them.

Few files say how many they have, and a decoder then takes the first frame's size for that of all.
Source of the header's layout: ISO/IEC 11172-3, 2.4.1.3, and 13818-3, 2.4.2.3; MPEG 2.5 is
Fraunhofer's.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

# kbit/s by (is MPEG 1, layer), from bit rate index 1 on; index 0 is the free format.
_KBITS = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = (44100, 48000, 32000)  # of MPEG 1; 2 has half of them, 2.5 a quarter
_MOST_JUNK = 2**20  # bytes, between two frames


@dataclass(frozen=True)
class FrameHeader:
    """The four bytes that begin a frame.

    n_bytes: bytes of the whole frame, None in the free format. n_samples: samples per channel.
    """

    sample_rate: int
    layer: int
    is_mpeg_1: bool
    is_mono: bool
    n_bytes: int | None
    n_samples: int

    def fits(self, other: "FrameHeader") -> bool:
        """Return whether both frames may belong to the same stream."""
        return (self.sample_rate, self.layer, self.is_mpeg_1) == (
            other.sample_rate,
            other.layer,
            other.is_mpeg_1,
        )


def frame_header(four: bytes) -> FrameHeader | None:
    """Read a frame's header from its first four bytes; None when they are not one."""
    if len(four) < 4 or four[0] != 0xFF or four[1] & 0xE0 != 0xE0:
        return None
    version, layer = four[1] >> 3 & 3, 4 - (four[1] >> 1 & 3)
    bit_rate_index, rate_index = four[2] >> 4, four[2] >> 2 & 3
    if version == 1 or layer == 4 or bit_rate_index == 15 or rate_index == 3:
        return None
    is_mpeg_1 = version == 3
    rate = _SAMPLE_RATES[rate_index] // {3: 1, 2: 2, 0: 4}[version]
    n_samples = 384 if layer == 1 else 576 if layer == 3 and not is_mpeg_1 else 1152
    n_bytes = None
    if bit_rate_index:
        bit_rate = 1000 * _KBITS[is_mpeg_1, layer][bit_rate_index - 1]
        padding = four[2] >> 1 & 1
        n_bytes = (
            (12 * bit_rate // rate + padding) * 4
            if layer == 1
            else n_samples // 8 * bit_rate // rate + padding
        )
    return FrameHeader(rate, layer, is_mpeg_1, four[3] >> 6 == 3, n_bytes, n_samples)


def id3_bytes(start: bytes) -> int:
    """Return the length in bytes of the ID3v2 tag that begins here; 0 where none does."""
    if len(start) < 10 or start[:3] != b"ID3" or any(byte & 0x80 for byte in start[6:10]):
        return 0
    n_bytes = start[6] << 21 | start[7] << 14 | start[8] << 7 | start[9]
    return 10 + n_bytes + (10 if start[5] & 0x10 else 0)


def starts_with_frames(start: bytes) -> bool:
    """Return whether two frames follow one another here; a single one may be chance, in any
    file."""
    first = frame_header(start[:4])
    if first is None:
        return False
    if first.n_bytes is None:
        return _free_format_bytes(start, 0, first) is not None
    second = frame_header(start[first.n_bytes : first.n_bytes + 4])
    return second is not None and second.fits(first)


def _free_format_bytes(content: "bytes | mmap.mmap", at: int, first: FrameHeader) -> int | None:
    """Return the distance from one frame of the free format to the next, which has the same
    first two bytes and bit rate index."""
    start = content[at : at + 4]
    place = at + 24
    while (place := content.find(start[:2], place, at + 2 * 4096)) > 0:
        after = frame_header(content[place : place + 4])
        if after is not None and after.n_bytes is None and after.fits(first):
            return place - at
        place += 1
    return None


@dataclass(frozen=True)
class InfoTag:
    """What the first frame of many files ("Xing" or "Info") says about all others. The numbers are
    None where it does not say.

    n_frames: number of frames after the first. n_bytes: bytes including the first. n_frames_at,
    n_bytes_at: positions of these numbers in the file.
    """

    n_frames: int | None
    n_bytes: int | None
    n_frames_at: int
    n_bytes_at: int


@dataclass(frozen=True)
class MpegStream:
    """The frames of a file.

    parts: stretches of the file with nothing between the frames, as (first byte, byte after the
    last). n_frames: in all parts, including the frame of the info tag. ends_within_frame: the end
    of the last frame is missing.
    """

    first: FrameHeader
    info: InfoTag | None
    parts: tuple[tuple[int, int], ...]
    n_frames: int
    ends_within_frame: bool

    @property
    def n_samples(self) -> int:
        """Number of samples per channel, without the frame of the info tag."""
        return (self.n_frames - (self.info is not None)) * self.first.n_samples

    @property
    def n_junk_bytes(self) -> int:
        """Number of bytes between the parts."""
        return sum(
            after[0] - before[1] for before, after in zip(self.parts, self.parts[1:], strict=False)
        )


class FreeFormat(Exception):  # noqa: N818 (an outcome, not an error)
    """The file is in the free format: its frames do not say how long they are."""


def info_tag(path: Path, at: int) -> tuple[FrameHeader, InfoTag | None] | None:
    """Return the first frame's header, and what it says about the others; None where there is no
    frame.

    at: position of the first frame.
    """
    with path.open("rb") as file:
        file.seek(at)
        start = file.read(256)
    header = frame_header(start)
    if header is None:
        return None
    place = next(
        (place for name in (b"Xing", b"Info") if (place := start.find(name, 4, 48)) > 0), None
    )
    if place is None or header.layer != 3 or len(start) < place + 16:
        return header, None
    (flags,) = struct.unpack(">I", start[place + 4 : place + 8])
    has_frames, has_bytes = bool(flags & 1), bool(flags & 2)
    bytes_place = place + (12 if has_frames else 8)
    n_frames = struct.unpack(">I", start[place + 8 : place + 12])[0] if has_frames else None
    n_bytes = struct.unpack(">I", start[bytes_place : bytes_place + 4])[0] if has_bytes else None
    return header, InfoTag(n_frames, n_bytes, at + place + 8, at + bytes_place)


def end_of_frames(path: Path) -> int:
    """Return the position where the tags after the sound begin (ID3v1, APE, Lyrics3), or the end
    of the file."""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        while True:
            before = end
            file.seek(max(0, end - 160))
            tail = file.read(min(end, 160))
            if tail[-128:-125] == b"TAG":
                end -= 128
            elif tail[-32:-24] == b"APETAGEX":
                n_bytes, _, flags = struct.unpack("<III", tail[-20:-8])
                end -= n_bytes + (32 if flags & 0x80000000 else 0)
            elif tail[-9:] == b"LYRICS200" and tail[-15:-9].isdigit():
                end -= int(tail[-15:-9]) + 15
            if end == before or end <= 0:
                return max(0, before)


def walk(path: Path, at: int) -> MpegStream | None:
    """Find all frames of the file; None where it has none.

    at: the first position where a frame may begin. Errors: FreeFormat.
    """
    end = end_of_frames(path)
    if end - at < 4:
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        start = _next_frame(content, at, end, None)
        if start is None:
            return None
        first = frame_header(content[start : start + 4])
        assert first is not None
        if first.n_bytes is None:
            raise FreeFormat
        parts, n_frames, is_cut = _walk(content, start, end, first)
        found = info_tag(path, start)
        return MpegStream(first, found[1] if found else None, tuple(parts), n_frames, is_cut)


def _walk(
    content: mmap.mmap, at: int, end: int, first: FrameHeader
) -> tuple[list[tuple[int, int]], int, bool]:
    """Return the parts, how many frames they have, and whether the last frame is cut off."""
    sizes: dict[bytes, int] = {}  # by header: a stream has some dozens
    parts: list[tuple[int, int]] = []
    part_start, n_frames = at, 0
    while at < end:
        four = content[at : at + 4]
        size = sizes.get(four)
        if size is None:
            header = frame_header(four)
            if header is not None and header.fits(first) and header.n_bytes:
                size = sizes[four] = header.n_bytes
        if size is None:
            parts.append((part_start, at))
            found = _next_frame(content, at, end, first)
            if found is None:
                return parts, n_frames, _is_beginning_of_frame(content[at:end])
            part_start = at = found
        elif at + size > end:
            parts.append((part_start, at))
            return parts, n_frames, True
        else:
            at += size
            n_frames += 1
    parts.append((part_start, at))
    return parts, n_frames, False


def _is_beginning_of_frame(rest: bytes) -> bool:
    """Return whether the fewer than four bytes after the last frame are the beginning of another
    one."""
    return 0 < len(rest) < 4 and rest[0] == 0xFF and (len(rest) == 1 or rest[1] & 0xE0 == 0xE0)


def _next_frame(content: mmap.mmap, at: int, end: int, first: FrameHeader | None) -> int | None:
    """Return the next position where two frames follow one another, or one ends with the file;
    they fit `first`, if it is given."""
    place, furthest = at, min(end, at + _MOST_JUNK)
    while (place := content.find(b"\xff", place, furthest)) >= 0:
        if tag := id3_bytes(content[at : at + 10]):  # the tag of an appended file
            return _next_frame(content, at + tag, end, first)
        header = frame_header(content[place : place + 4])
        if header is not None and (first is None or header.fits(first)):
            n_bytes = header.n_bytes or _free_format_bytes(content, place, header)
            if n_bytes is not None:
                after = frame_header(content[place + n_bytes : place + n_bytes + 4])
                if (after is not None and after.fits(header)) or (
                    first is not None and place + n_bytes == end
                ):
                    return place
        place += 1
    return None

"""How a file has to be read so that all of it is read: some files do not say how long they are,
and some say it wrongly."""

import struct
from dataclasses import dataclass
from pathlib import Path

from texturelib.audio import flac, mpeg, ogg
from texturelib.audio.chunks import find_samples
from texturelib.audio.kinds import READABLE, kind_of
from texturelib.audio.pieces import Piece
from texturelib.errors import Rejected

_HEADERLESS = frozenset({".raw", ".au", ".snd", ".gsm", ".vox"})
"""Suffixes for which libsndfile takes any file to be samples without a header."""

_MOST_PADDING = 1000  # bytes behind the last frame of an mp3; libmpg123 gives up at 1024


@dataclass(frozen=True)
class Form:
    """How a sound file has to be read.

    streams: what libsndfile is given, one after the other; None: the file as it is. is_endless:
    libsndfile would only guess where they end. n_samples: per channel, as far as it is known
    without libsndfile. share_present: the share of what the file announces that is there, up to 1.
    share_announced: the share of what is there that the file announces, where it announces too
    little. is_cut: the end of the file is missing. is_mpeg: libmpg123 reads it.
    """

    streams: tuple[tuple[Piece, ...], ...] | None = None
    is_endless: bool = False
    n_samples: int | None = None
    share_present: float = 1.0
    share_announced: float | None = None
    n_junk_bytes: int = 0
    is_cut: bool = False
    is_mpeg: bool = False


def form_of(path: Path) -> Form:
    """Find out how a file has to be read.

    Errors: Rejected when it is not a sound that can be read; OSError.
    """
    kind, at = kind_of(path)
    if kind is None and path.suffix.lower() in _HEADERLESS:
        raise Rejected("cannot be read as audio (no header says what its samples are)")
    if kind is not None and kind not in READABLE:
        raise Rejected(f"is {kind}, which cannot be read; convert it to wav or flac")
    size = path.stat().st_size
    if kind == "mpeg" or (kind is None and path.suffix.lower() in (".mp3", ".mp2")):
        return _form_of_mpeg(path, at)
    if kind == "flac":
        return _form_of_flac(path, at, size)
    if kind == "ogg":
        streams = ogg.streams(path)
        return Form(
            streams=tuple((each,) for each in streams) if len(streams) > 1 else None,
            is_cut=ogg.ends_within_a_page(path),
        )
    if kind in ("wav", "rf64", "aiff", "au", "caf", "w64"):
        found = find_samples(path, kind, at)
        pieces = found.pieces
        # A newer name for the same format.
        if pieces is None and kind == "rf64" and _start(path, at)[:4] == b"BW64":
            pieces = (b"RF64", (at + 4, size))
        elif pieces is None and at:
            pieces = ((at, size),)
        return Form(
            streams=(pieces,) if pieces else None,
            share_present=found.share_present,
            share_announced=found.share_announced,
            is_mpeg=kind == "wav" and _may_hold_mpeg(_start(path, at)),
        )
    return Form()


def _form_of_mpeg(path: Path, at: int) -> Form:
    """Find out how an mp3 or mp2 has to be read. Many mp3s say in their first frame how many
    frames there are, and libmpg123 believes it; for all others it guesses."""
    n_bytes = mpeg.end_of_frames(path) - at
    found = mpeg.info_tag(path, at)
    if (
        found
        and (info := found[1])
        and info.n_frames
        and info.n_bytes
        and abs(info.n_bytes - n_bytes) < _MOST_PADDING
    ):
        return Form(is_mpeg=True)
    try:
        stream = mpeg.walk(path, at)
    except mpeg.FreeFormat:
        raise Rejected(
            "is an mp3 in the free format, which says nowhere how long it is; convert it to wav or flac"
        ) from None
    if stream is None or stream.n_frames == 0:
        return Form(is_mpeg=True)
    pieces: list[Piece] = list(stream.parts)
    info = stream.info
    if info is None or info.n_frames is None:
        return Form(
            streams=(tuple(pieces),),
            is_endless=True,
            n_samples=stream.n_samples,
            n_junk_bytes=stream.n_junk_bytes,
            is_cut=stream.ends_within_frame,
            is_mpeg=True,
        )
    n_frames = stream.n_frames - 1
    if n_frames > info.n_frames:
        start, end = stream.parts[0]
        pieces[:1] = [
            (start, info.n_frames_at),
            struct.pack(">I", n_frames),
            (info.n_frames_at + 4, end),
        ]
    return Form(
        streams=(tuple(pieces),),
        share_announced=info.n_frames / n_frames if n_frames > info.n_frames else None,
        n_junk_bytes=stream.n_junk_bytes,
        is_cut=stream.ends_within_frame,
        is_mpeg=True,
    )


def _form_of_flac(path: Path, at: int, size: int) -> Form:
    length = flac.flac_length(path, at)
    if length is None or length.n_found is None:
        return Form()
    if length.n_announced == 0:
        return Form(n_samples=length.n_found)
    if length.n_found <= length.n_announced:
        return Form()
    with path.open("rb") as file:
        file.seek(length.n_samples_at)
        first = file.read(1)[0] & 0xF0
    pieces: tuple[Piece, ...] = (
        (at, length.n_samples_at),
        bytes([first, 0, 0, 0, 0]),
        (length.n_samples_at + 5, size),
    )
    return Form(
        streams=(pieces,),
        n_samples=length.n_found,
        share_announced=length.n_announced / length.n_found,
    )


def _start(path: Path, at: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        return file.read(22)


def _may_hold_mpeg(start: bytes) -> bool:
    """Return whether the samples of a wav may be those of an mp3 or mp2. start: the first bytes of
    the wav."""
    return start[12:16] != b"fmt " or start[20:22] in (b"\x50\0", b"\x55\0")

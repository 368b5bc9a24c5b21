"""Recognise sound files by their content rather than by their names."""

import struct
from pathlib import Path
from typing import Literal

from texturelib.audio.mpeg import id3_bytes, starts_with_frames

Kind = Literal[
    "wav", "rf64", "w64", "aiff", "au", "caf", "flac", "ogg", "mpeg", "other sound",
    "AAC", "MP4 (AAC or ALAC)", "Windows Media", "Matroska or WebM", "Monkey's Audio", "WavPack", "True Audio", "Musepack",
    "Dolby Digital", "AMR", "DSD", "RealAudio", "Speex",
]  # fmt: skip

READABLE: frozenset[Kind] = frozenset(
    {"wav", "rf64", "w64", "aiff", "au", "caf", "flac", "ogg", "mpeg", "other sound"}
)

# The first bytes of a file, and the kind they mean.
_BEGINNINGS: dict[bytes, Kind] = {
    b"fLaC": "flac",
    b".snd": "au",
    b"caff\0\1": "caf",
    b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb": "w64",
    b"Creative Voice File\x1a": "other sound",
    b"NIST_1A\n": "other sound",
    b"PVF1\n": "other sound",
    b"2BIT": "other sound",
    b"ALawSoundFile**": "other sound",
    # IRCAM, in its byte orders.
    **{bytes([0x64, 0xA3, machine, 0]): "other sound" for machine in range(1, 5)},
    **{bytes([0, machine, 0xA3, 0x64]): "other sound" for machine in range(1, 5)},
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "Windows Media",
    b"\x1a\x45\xdf\xa3": "Matroska or WebM",
    b"MAC ": "Monkey's Audio",
    b"wvpk": "WavPack",
    b"TTA1": "True Audio",
    b"TTA2": "True Audio",
    b"MP+": "Musepack",
    b"MPCK": "Musepack",
    b"\x0b\x77": "Dolby Digital",
    b"#!AMR": "AMR",
    b"DSD ": "DSD",
    b"FRM8": "DSD",
    b".ra\xfd": "RealAudio",
    b".RMF": "RealAudio",
}
# Files in chunks: the name at the beginning and the name of the form.
_FORMS: dict[tuple[bytes, bytes], Kind] = {
    (b"RIFF", b"WAVE"): "wav",
    (b"RIFX", b"WAVE"): "other sound",
    (b"RF64", b"WAVE"): "rf64",
    (b"BW64", b"WAVE"): "rf64",
    (b"FORM", b"AIFF"): "aiff",
    (b"FORM", b"AIFC"): "aiff",
    (b"FORM", b"8SVX"): "other sound",
    (b"FORM", b"16SV"): "other sound",
}
_PICTURES_IN_MP4 = (b"heic", b"heix", b"heif", b"mif1", b"msf1", b"avif", b"avis", b"crx ")
_START = 8192  # bytes: more than three frames of MPEG audio


def kind_of(path: Path) -> tuple[Kind | None, int]:
    """Return the kind of sound that the file holds, None where it holds none that we know; and
    how many bytes of tags precede it.

    Errors: OSError when it cannot be opened.
    """
    with path.open("rb") as file:
        start = file.read(_START)
        n_tags = 0
        while n_more := id3_bytes(start):  # also before a flac, and sometimes twice
            n_tags += n_more
            file.seek(n_tags)
            start = file.read(_START)
    return _kind_of(start), n_tags


def _kind_of(start: bytes) -> Kind | None:
    if form := _FORMS.get((start[:4], start[8:12])):
        return form
    if start[:4] == b"OggS":
        return "Speex" if b"Speex   " in start[:64] else "ogg"
    if start[4:8] == b"ftyp" and start[8:12] not in _PICTURES_IN_MP4:
        return "MP4 (AAC or ALAC)"
    if starts_with_frames(start):
        return "mpeg"
    if _is_adts(start):
        return "AAC"
    for n_bytes in sorted({len(beginning) for beginning in _BEGINNINGS}, reverse=True):
        if kind := _BEGINNINGS.get(start[:n_bytes]):
            # Two bytes may be there by chance, in any file.
            return None if kind == "Dolby Digital" and not _is_ac3(start) else kind
    return None


def _is_adts(start: bytes) -> bool:
    """Return whether two frames of AAC follow one another."""
    if len(start) < 7 or start[0] != 0xFF or start[1] & 0xF6 != 0xF0:
        return False
    n_bytes = (start[3] & 3) << 11 | start[4] << 3 | start[5] >> 5
    return (
        n_bytes > 7
        and start[n_bytes : n_bytes + 1] == b"\xff"
        and start[n_bytes + 1] & 0xF6 == 0xF0
    )


def _is_ac3(start: bytes) -> bool:
    """Return whether a second frame of Dolby Digital begins within the first 4 kB."""
    return (
        len(start) > 6
        and struct.unpack(">B", start[5:6])[0] >> 3 <= 16
        and 0 < start.find(b"\x0b\x77", 64) < 4096
    )

"""Audio files: checked when read, whole when written."""

from texturelib.audio.level import level_dbfs
from texturelib.audio.mixing import Mixer
from texturelib.audio.reading import (
    Header,
    Notes,
    cancelling,
    read_blocks,
    read_clip,
    read_header,
    read_mono,
)
from texturelib.audio.writing import to_16_bit, wav_bytes, write_wav

__all__ = [
    "Header",
    "Mixer",
    "Notes",
    "cancelling",
    "level_dbfs",
    "read_blocks",
    "read_clip",
    "read_header",
    "read_mono",
    "to_16_bit",
    "wav_bytes",
    "write_wav",
]

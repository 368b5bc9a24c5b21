"""Audio files: checked when read, whole when written."""

from texturelib.audio.level import level_dbfs
from texturelib.audio.mixing import Mixer, mix_down
from texturelib.audio.reading import (
    Header,
    Notes,
    cancelling,
    read_blocks,
    read_clip,
    read_header,
    read_mono,
    read_sound,
)
from texturelib.audio.writing import MOST_CHANNELS, to_16_bit, wav_bytes, write_wav

__all__ = [
    "MOST_CHANNELS",
    "Header",
    "Mixer",
    "Notes",
    "cancelling",
    "level_dbfs",
    "mix_down",
    "read_blocks",
    "read_clip",
    "read_header",
    "read_mono",
    "read_sound",
    "to_16_bit",
    "wav_bytes",
    "write_wav",
]

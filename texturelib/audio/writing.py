"""Write clips as wav."""

import struct
from pathlib import Path

import numpy as np

from texturelib.errors import TextureError
from texturelib.files import shown, whole_file

_LARGEST_WAV = 2**32 - 64  # bytes: its header has 32 bits for them


MOST_CHANNELS = 8
"""The most channels that the clips of a dataset, and the sounds of an instrument, can have."""


def wav_bytes(seconds: float, sample_rate: int, n_channels: int = 1) -> float:
    """Return the number of bytes of so much sound on disk, as `write_wav` writes it."""
    return seconds * sample_rate * n_channels * 2


def to_16_bit(samples: np.ndarray) -> np.ndarray:
    """Convert samples of any shape to int16. Values outside -1..1 are clipped."""
    # Rounded here: libsndfile rounds down, which puts every sound half a step below zero.
    return np.rint(np.clip(samples, -1, 1 - 2**-15) * 2**15).astype(np.int16)


def write_wav(path: Path, samples: np.ndarray, sample_rate: int) -> None:
    """Write a 16-bit wav, whole or not at all.

    samples: [samples] or [samples, channels], -1..1, or already int16.
    """
    steps = samples if samples.dtype == np.int16 else to_16_bit(samples)
    if steps.nbytes > _LARGEST_WAV:
        raise TextureError(
            f"{shown(path)}: {steps.nbytes / 1e9:.1f} GB are more than a wav can hold; ask for less at a time"
        )
    content = steps.astype("<i2", copy=False).tobytes()
    n_channels = 1 if steps.ndim == 1 else steps.shape[1]
    rate, width = sample_rate, 2  # bytes of a sample
    frame = n_channels * width
    form = struct.pack(
        "<4sIHHIIHH", b"fmt ", 16, 1, n_channels, rate, rate * frame, frame, 8 * width
    )
    header = (
        struct.pack("<4sI4s", b"RIFF", 36 + len(content), b"WAVE")
        + form
        + struct.pack("<4sI", b"data", len(content))
    )
    # Not by libsndfile, which waits for the disk at every file that it closes: that takes as
    # long as rendering one. Nor by the module wave, whose half-made objects complain when Ctrl-C
    # comes between.
    with whole_file(path) as part:
        part.write_bytes(header + content)

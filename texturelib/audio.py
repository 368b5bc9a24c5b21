"""Audio files in and out: checked when read, whole when written."""

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from texturelib.errors import Rejected
from texturelib.files import whole_file

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".caf", ".w64", ".au"})
"""What `find_audio` takes for a recording (lower-case); soundfile reads all of these."""


def find_audio(folder: Path) -> list[Path]:
    """-> the audio files under `folder`, in an order that does not depend on the file system. Hidden files are not taken."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    )


def read_mono(path: Path, sample_rate: int) -> np.ndarray:
    """-> [samples] float32: the mean of the channels, resampled to `sample_rate`.

    Errors: Rejected when the file is empty, not audio, cut off, or holds values that are not numbers.
    """
    samples, rate = _read(path)
    mono = samples.mean(axis=1, dtype=np.float32)
    return mono if rate == sample_rate else soxr.resample(mono, rate, sample_rate, quality="HQ")


def read_clip(path: Path, sample_rate: int, n_samples: int) -> np.ndarray:
    """-> [n_samples] float32, from a mono clip of a dataset folder, which must have that rate and length.

    Errors: Rejected when it has not.
    """
    samples, rate = _read(path)
    if rate != sample_rate or samples.shape != (n_samples, 1):
        found = f"{samples.shape[1]} channel(s) of {len(samples)} samples at {rate} Hz"
        raise Rejected(f"has {found}; the dataset has 1 channel of {n_samples} samples at {sample_rate} Hz")
    return samples[:, 0]


def write_wav(path: Path, samples: np.ndarray, sample_rate: int) -> None:
    """samples: [samples], -1..1 -> a 16-bit mono wav, whole or not at all."""
    with whole_file(path) as part:
        soundfile.write(part, samples, sample_rate, subtype="PCM_16")


def level_dbfs(samples: np.ndarray) -> float:
    """Root-mean-square level; 0 dBFS is a constant of 1, all zeros give -inf."""
    mean_square = float(np.mean(np.square(samples, dtype=np.float64)))
    return 10 * np.log10(mean_square) if mean_square > 0 else -np.inf


def _read(path: Path) -> tuple[np.ndarray, int]:
    if path.stat().st_size == 0:
        raise Rejected("is empty (0 bytes)")
    try:
        with soundfile.SoundFile(path) as file:
            rate, announced = file.samplerate, file.frames
            samples = file.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise Rejected(f"cannot be read as audio ({error.error_string.rstrip('.')})") from None
    announced = max(announced, _frames_in_wav_header(path))
    if len(samples) == 0:
        raise Rejected("holds no samples")
    # Compressed formats only estimate their length; a fortieth of a second is one mp3 frame.
    if len(samples) < announced - rate / 40:
        raise Rejected(f"cut off after {len(samples) / rate:.1f} of {announced / rate:.1f} s")
    if not np.isfinite(samples).all():
        raise Rejected("holds values that are not numbers (NaN or infinite)")
    return samples, rate


def _frames_in_wav_header(path: Path) -> int:
    """-> the frames that a wav's header announces, 0 for other formats: libsndfile forgives a cut-off wav silently."""
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return 0
        file.seek(12)
        return _frames_in_chunks(file)


def _frames_in_chunks(file: BinaryIO) -> int:
    block_align = 0
    while len(header := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", header)
        if name == b"fmt " and size >= 14:
            block_align = struct.unpack("<12xH", file.read(14))[0]
            size -= 14
        elif name == b"data":
            # Writers that stream leave the size at its largest or at zero: it then says nothing.
            return size // block_align if block_align and size < 0xFFFFFF00 else 0
        file.seek(size + size % 2, 1)
    return 0

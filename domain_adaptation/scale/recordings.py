"""Recordings of anything, decoded into excerpts of one length."""

from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np

from texturelib.audio import read_mono
from texturelib.errors import Rejected, TextureError
from texturelib.evenly import evenly_spread
from texturelib.files import shown
from texturelib.progress import progress
from texturelib.sound_files import find_audio

_SILENT = 1e-4
_SILENCE = 1e-3  # of the peak: -60 dB


@dataclass(frozen=True)
class Excerpts:
    """Excerpts of recordings.

    names: of the files, in their folder. samples: [recordings, samples] int16, each with its peak at
    full scale. rejected: files that were left out, and why.
    """

    names: list[str]
    samples: np.ndarray
    rejected: dict[str, str]


def read_excerpts(key: str, folder: Path, seconds: float, sample_rate: int, most: int) -> Excerpts:
    """Return the middle `seconds` of at most `most` recordings of a folder.

    key: of the config, for the error. Errors: TextureError when no file can be read.
    """
    paths = find_audio(folder) if folder.is_dir() else []
    if not paths:
        raise TextureError(f"{key}: {shown(folder)}: should be a folder that holds sound files")
    chosen = [paths[index] for index in evenly_spread(len(paths), most)]
    n_samples = round(seconds * sample_rate)
    read = joblib.Parallel(n_jobs=-1, prefer="threads", return_as="generator")(
        joblib.delayed(_excerpt)(path, n_samples, sample_rate) for path in chosen
    )
    names, samples, rejected = [], [], {}
    for path, found in zip(
        chosen, progress(read, "reading recordings", len(chosen), "file"), strict=True
    ):
        name = path.relative_to(folder).as_posix()
        if isinstance(found, str):
            rejected[name] = found
        else:
            names.append(name)
            samples.append(found)
    if not samples:
        name, reason = next(iter(rejected.items()))
        raise TextureError(
            f"{key}: {shown(folder)}: none of {len(paths)} files can be read; {name}: {reason}"
        )
    return Excerpts(names, np.stack(samples), rejected)


def _excerpt(path: Path, n_samples: int, sample_rate: int) -> np.ndarray | str:
    """Return the middle of a recording, [n_samples] int16, or why there is none."""
    try:
        samples = read_mono(path, sample_rate)
    except Rejected as reason:
        return str(reason)
    peak = np.abs(samples).max(initial=0.0)
    # Sets of clips of one length pad shorter sounds with silence.
    audible = np.flatnonzero(np.abs(samples) > max(_SILENCE * peak, _SILENT))
    if not len(audible):
        return "is silent"
    samples = samples[audible[0] : audible[-1] + 1]
    start = max(0, (len(samples) - n_samples) // 2)
    excerpt = samples[start : start + n_samples]
    excerpt = excerpt - excerpt.mean()
    peak = np.abs(excerpt).max()
    if peak < _SILENT:
        return "its middle is silent"
    return np.resize((excerpt * (32767 / peak)).round().astype(np.int16), n_samples)

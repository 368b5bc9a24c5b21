"""Do the labels of recordings mean what they say? Play them slower, and see whether the labels move as they must.

Whatever a recording's true controls are, those of the same recording played k times slower are known from them: the
engine's laws say how far each label has to move per unit of ln k.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
import torch

from domain_adaptation.laws import fitted_slopes
from domain_adaptation.model_folder import About, Model
from domain_adaptation.reading import read_waveforms
from domain_adaptation.scores import share_inside
from domain_adaptation.waveforms import peak_normalised, prepared
from texturelib.audio import find_audio, read_mono
from texturelib.errors import Rejected, TextureError
from texturelib.files import shown
from texturelib.progress import progress

SPEEDS = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
_MOST_SEGMENTS = 150  # of a recording at a speed; of a longer one, those that are spread evenly
_PEAK = 2**15 - 1


@dataclass(frozen=True)
class SlowedRecording:
    """Segments at the features' rate, by slow-down: [segments, samples] int16."""

    name: str
    segments: Mapping[float, np.ndarray]


@dataclass(frozen=True)
class SlowDownScore:
    """What became of a recording's labels. All by control.

    slope: of the mean label per unit of ln(slow-down). mean, deviation: of the labels at the original speed.
    inside: the share of all labels within 0..1.
    """

    slope: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    inside: float


def slowed_recordings(folder: Path, about: About) -> list[SlowedRecording]:
    """-> every recording in `folder` at every speed, in segments as long as the model's clips, without silent ones.

    Errors: TextureError when a file is no sound, or too short.
    """
    paths = find_audio(folder) if folder.is_dir() else []
    if not paths:
        raise TextureError(f"{shown(folder)}: should be a folder that holds sound files")
    return [
        SlowedRecording(path.relative_to(folder).as_posix(), _at_all_speeds(path, about))
        for path in progress(paths, "slowing recordings", unit="file")
    ]


def score(model: Model, recording: SlowedRecording) -> SlowDownScore:
    labels = {speed: read_waveforms(model, segments).labels for speed, segments in recording.segments.items()}
    original, inside = labels[1.0], share_inside(np.concatenate(list(labels.values())))
    return SlowDownScore(fitted_slopes(labels), original.mean(axis=0), original.std(axis=0), inside)


def _at_all_speeds(path: Path, about: About) -> dict[float, np.ndarray]:
    try:
        samples = read_mono(path, about.sample_rate)
    except Rejected as reason:
        raise TextureError(f"{shown(path)}: {reason}") from None
    return {speed: _segments(path, samples, speed, about) for speed in SPEEDS}


def _segments(path: Path, samples: np.ndarray, speed: float, about: About) -> np.ndarray:
    # Resampled to `speed` times the rate and played at the old rate: everything takes `speed` times as long.
    slowed = samples if speed == 1 else soxr.resample(samples, about.sample_rate, about.sample_rate * speed)
    n_samples = round(about.seconds * about.sample_rate)
    segments = slowed[: len(slowed) // n_samples * n_samples].reshape(-1, n_samples)
    segments = segments[np.abs(segments).max(axis=1, initial=0.0) > 1e-4]
    if len(segments) == 0:
        raise TextureError(f"{shown(path)}: {speed:g} times slower, has no audible segment of {about.seconds:g} s")
    segments = segments[_spread(len(segments), _MOST_SEGMENTS)]
    waveforms = peak_normalised(
        prepared(torch.from_numpy(np.ascontiguousarray(segments)), about.sample_rate, about.features.sample_rate)
    )
    return (waveforms * _PEAK).round().to(torch.int16).numpy()


def _spread(n_items: int, n_chosen: int) -> Sequence[int]:
    """-> places from first to last, evenly spread, each once."""
    return sorted(set(np.linspace(0, n_items - 1, min(n_items, n_chosen)).round().astype(int).tolist()))

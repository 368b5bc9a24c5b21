"""The slow-down test: play recordings slower, and see whether their labels move as the laws say;
and the mixing test: the same with several moments of a recording at once.

Whatever the true controls of a recording are, those of the same recording played k times slower
follow from them: the engine's laws say how far each label has to move per unit of ln k. So do those
of n moments of it at once, which are n times as many events, per unit of ln n.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
import torch

from domain_adaptation.data.waveforms import prepared, to_full_scale
from domain_adaptation.evaluation.laws import fitted_slopes, labels_in_layers
from domain_adaptation.evaluation.scores import share_inside
from domain_adaptation.evaluation.spectrum_change import spectrum_change_db
from domain_adaptation.labelling.inference import read_waveforms
from domain_adaptation.models.model_folder import Model, ModelSpec
from texturelib.audio import read_mono
from texturelib.errors import Rejected, TextureError
from texturelib.evenly import evenly_spread
from texturelib.files import shown
from texturelib.progress import progress
from texturelib.sound_files import find_audio

SPEEDS = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
_MOST_SEGMENTS = 150  # of a recording at a speed; of a longer one, those that are spread evenly


@dataclass(frozen=True)
class Recording:
    """A recording that can be played at any speed."""

    name: str
    path: Path
    spec: ModelSpec

    def segments(self, speed: float = 1.0) -> np.ndarray:
        """Return the recording played `speed` times slower, cut into segments as long as the
        model's clips.

        -> [segments, samples] int16 at the features' sample rate, without silent segments. Errors:
        TextureError when the file is no sound, or too short.
        """
        spec = self.spec
        try:
            samples = read_mono(self.path, spec.sample_rate)
        except Rejected as reason:
            raise TextureError(f"{shown(self.path)}: {reason}") from None
        # Resampled to `speed` times the rate and played at the old rate: everything takes `speed`
        # times as long.
        played = (
            samples
            if speed == 1
            else soxr.resample(samples, spec.sample_rate, spec.sample_rate * speed)
        )
        n_samples = round(spec.seconds * spec.sample_rate)
        segments = played[: len(played) // n_samples * n_samples].reshape(-1, n_samples)
        segments = segments[np.abs(segments).max(axis=1, initial=0.0) > 1e-4]
        if len(segments) == 0:
            raise TextureError(
                f"{shown(self.path)}: {speed:g} times slower, has no audible segment of {spec.seconds:g} s"
            )
        chosen = evenly_spread(len(segments), _MOST_SEGMENTS)
        waveforms = prepared(
            torch.from_numpy(segments[chosen]), spec.sample_rate, spec.features.sample_rate
        )
        return to_full_scale(waveforms).numpy()


@dataclass(frozen=True)
class SlowDownScore:
    """The result of the slow-down test for one recording, by control.

    slope: of the mean label per unit of ln(slow-down). mean, deviation: of the labels at the
    original speed. inside: the share of all labels within 0..1. change_db: how far the sound itself
    changes from the first speed to the last, see `spectrum_change_db`. mixing_slope: of the mean
    label per unit of ln(layers).
    """

    slope: np.ndarray
    mixing_slope: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    inside: float
    change_db: float


def find_recordings(folder: Path, spec: ModelSpec) -> list[Recording]:
    """Return the recordings in a folder.

    Errors: TextureError when the folder holds none, or one that is no sound or too short at the
    highest speed.
    """
    paths = find_audio(folder) if folder.is_dir() else []
    if not paths:
        raise TextureError(f"{shown(folder)}: should be a folder that holds sound files")
    recordings = [Recording(path.relative_to(folder).as_posix(), path, spec) for path in paths]
    for recording in progress(recordings, "looking at recordings", unit="file"):
        recording.segments(min(SPEEDS))
    return recordings


def score(model: Model, recording: Recording) -> SlowDownScore:
    """Return the result of the slow-down test for one recording."""
    segments = {speed: recording.segments(speed) for speed in SPEEDS}
    labels = {speed: read_waveforms(model, clips).labels for speed, clips in segments.items()}
    original, inside = labels[1.0], share_inside(np.concatenate(list(labels.values())))
    change = spectrum_change_db(
        segments[min(SPEEDS)], segments[max(SPEEDS)], model.spec.features.sample_rate
    )
    own = segments[1.0]
    in_layers = labels_in_layers(model, own, np.zeros(len(own)))
    return SlowDownScore(
        fitted_slopes(labels),
        fitted_slopes(in_layers),
        original.mean(axis=0),
        original.std(axis=0),
        inside,
        change,
    )

"""Render one augmented clip: moments of a recording, added, and resampled once."""

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from conditioned_synthesis.augmentation.band import PASSED, continued, without_highs
from conditioned_synthesis.augmentation.draws import Layer
from conditioned_synthesis.augmentation.examine import SILENT_DBFS
from conditioned_synthesis.augmentation.labels import Change
from conditioned_synthesis.augmentation.settings import Band
from texturelib.audio import level_dbfs, mix_down, write_wav
from texturelib.dataset import clip_at
from texturelib.errors import Rejected

_MARGIN = 1024  # samples at both ends of a clip, which resampling and filtering may spoil
_CACHED_BYTES = 2**26  # of the dataset's clips, in each worker


@dataclass(frozen=True)
class Form:
    """What the clips of a set share.

    folder, source_*: the dataset that they are made of. comparable_below_hz: up to there, all clips
    are as they were recorded.
    """

    folder: Path
    source_rate: int
    source_samples: int
    source_channels: int
    sample_rate: int
    n_samples: int
    n_channels: int
    band: Band
    comparable_below_hz: float


@dataclass(frozen=True)
class Clip:
    """What is needed to make one clip.

    n_taken: number of samples of each layer, at the recording's rate. files: by row of the dataset,
    its file's name. band_end_hz: where the recording's spectrum ends.
    """

    file_name: str
    change: Change
    layers: tuple[Layer, ...]
    n_taken: int
    files: dict[int, str]
    band_end_hz: float


def write_clip(form: Form, gain: float, folder: Path, clip: Clip) -> dict[str, float]:
    """Write one clip, and return its peak, before `gain`, and its level in dBFS.

    Args:
        gain: of the whole set.

    Errors: Rejected when it is silent; TextureError when a file of the dataset is not what its
    table says.
    """
    samples = rendered(form, clip)
    level = level_dbfs(samples)
    if level < SILENT_DBFS:
        raise Rejected("is silent, as its moment of the recording is")
    write_wav(folder / clip.file_name, gain * samples, form.sample_rate)
    peak = float(np.abs(samples).max())
    return {"peak": peak, "level_dbfs": round(level + 20 * math.log10(gain), 2)}


def rendered(form: Form, clip: Clip) -> np.ndarray:
    """Return one clip as [samples] float32, or [samples, channels] where these are several."""
    mixed = np.zeros((clip.n_taken, form.source_channels), dtype=np.float32)
    for layer in clip.layers:
        _add(mixed, form, clip.files, layer)
    mixed *= np.float32(clip.change.gain)
    if form.n_channels == 1:
        mixed = mix_down(mixed).reshape(-1, 1)
    samples = _resampled(form, mixed, clip)
    return samples[:, 0] if form.n_channels == 1 else samples


def _add(mixed: np.ndarray, form: Form, files: Mapping[int, str], layer: Layer) -> None:
    """Add a moment of the recording, at its own rate. mixed: [samples, channels]."""
    read = _reader(form.folder, form.source_rate, form.source_samples, form.source_channels)
    filled_up_to = 0  # clips may overlap
    for row, at in zip(layer.rows, layer.at, strict=True):
        part = read(files[row]).reshape(-1, form.source_channels)[filled_up_to - at :]
        part = part[: len(mixed) - filled_up_to]
        mixed[filled_up_to : filled_up_to + len(part)] += part
        filled_up_to += len(part)


@functools.lru_cache(maxsize=1)
def _reader(
    folder: Path, sample_rate: int, n_samples: int, n_channels: int
) -> Callable[[str], np.ndarray]:
    """Return a function that reads a clip of a dataset by its file's name, and keeps some."""
    n_kept = max(1, _CACHED_BYTES // (4 * n_samples * n_channels))

    @functools.lru_cache(maxsize=n_kept)
    def read(file_name: str) -> np.ndarray:
        return clip_at(folder / file_name, sample_rate, n_samples, n_channels)

    return read


def _resampled(form: Form, moment: np.ndarray, clip: Clip) -> np.ndarray:
    """Return a moment, played slower, at the set's rate: [n_samples, channels].

    It is mirrored at both ends for the time of resampling, so that nothing rises from silence.
    """
    slow_down = clip.change.slow_down
    ratio = form.sample_rate * slow_down / form.source_rate
    margin = math.ceil(_MARGIN / ratio)
    padded = np.pad(moment, ((margin, margin), (0, 0)), mode="symmetric")
    samples = soxr.resample(padded, form.source_rate / slow_down, form.sample_rate, quality="HQ")
    first = round(margin * ratio)
    ends_at = min(clip.band_end_hz, PASSED * form.source_rate / 2) / slow_down
    if form.band == "common":
        samples = without_highs(_tapered(samples), form.sample_rate, form.comparable_below_hz)
    elif form.band == "continued" and ends_at < PASSED * form.sample_rate / 2:
        samples = continued(_tapered(samples), form.sample_rate, ends_at)
    return samples[first : first + form.n_samples]


def _tapered(samples: np.ndarray) -> np.ndarray:
    """Return a sound with fades at both ends, within its margins."""
    ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(_MARGIN // 2) + 0.5) / (_MARGIN // 2)))[:, None]
    tapered = samples.copy()
    tapered[: len(ramp)] *= ramp
    tapered[-len(ramp) :] *= ramp[::-1]
    return tapered

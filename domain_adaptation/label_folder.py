"""Label any folder of sounds with a model folder."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from domain_adaptation.label import labels_by_name, labels_table
from domain_adaptation.model_folder import Model, load_model
from domain_adaptation.reading import Labels, read_waveforms
from domain_adaptation.waveforms import prepared
from texturelib.audio import find_audio, read_mono
from texturelib.errors import Rejected, TextureError
from texturelib.files import shown, write_json, write_table
from texturelib.progress import progress

_BATCH = 64  # segments


def label_folder(model_folder: Path, audio: Path, table: Path) -> tuple[int, dict[str, str]]:
    """Write `table`, a CSV, and the same as JSON beside it: a row per clip; of longer sounds, a row per segment of the model's
    length, end to end, with its start_seconds. Sounds at other rates are resampled, several channels mixed.

    -> how many rows; files that were left out, and why. Errors: TextureError when there is nothing to label.
    """
    import pandas as pd

    model = load_model(model_folder)
    paths = find_audio(audio)
    if not paths:
        raise TextureError(f"{shown(audio)}: holds no sound files")
    rows: list[dict[str, object]] = []
    rejected: dict[str, str] = {}
    waiting: list[np.ndarray] = []
    parts: list[Labels] = []

    def read_waiting() -> None:
        parts.append(read_waveforms(model, np.stack(waiting)))
        waiting.clear()

    for path in progress(paths, "labelling", unit="file"):
        name = path.relative_to(audio).as_posix()
        try:
            for start, segment in _segments(model, path):
                rows.append({"file_name": name, "start_seconds": round(start, 4)})
                waiting.append(segment)
                if len(waiting) == _BATCH:
                    read_waiting()
        except FileNotFoundError:
            rejected[name] = "is a link that leads nowhere"
        except Rejected as reason:
            rejected[name] = str(reason)
    if waiting:
        read_waiting()
    if not rows:
        name, reason = next(iter(rejected.items()))
        raise TextureError(f"{shown(audio)}: none of {len(paths)} files can be labelled; {name}: {reason}")
    labels = Labels(np.concatenate([part.labels for part in parts]), np.concatenate([part.spread for part in parts]))
    found = pd.DataFrame(rows)
    if not found["file_name"].duplicated().any() and not found["start_seconds"].any():
        found = found[["file_name"]]  # every sound is one clip
    content = pd.concat([found, labels_table(model, labels)], axis=1)
    write_table(table, content)
    if len(found.columns) == 1:
        write_json(table.with_suffix(".json"), labels_by_name(content))
    else:
        write_json(table.with_suffix(".json"), content.to_dict("records"))
    return len(rows), rejected


def _segments(model: Model, path: Path) -> Iterator[tuple[float, np.ndarray]]:
    """Yield start in seconds and samples [n_samples] at the features' rate. Errors: Rejected, with why there is none."""
    about = model.about
    samples = read_mono(path, about.sample_rate)
    n_samples = round(about.seconds * about.sample_rate)
    if len(samples) < n_samples:
        raise Rejected(f"lasts {len(samples)} samples at {about.sample_rate} Hz; the model reads clips of {n_samples}")
    is_silent = True
    for start in range(0, len(samples) - n_samples + 1, n_samples):
        clip = samples[start : start + n_samples]
        if np.abs(clip).max() > 0:
            is_silent = False
            waveform = prepared(torch.from_numpy(clip[None]), about.sample_rate, about.features.sample_rate)
            yield start / about.sample_rate, waveform[0].numpy()
    if is_silent:
        raise Rejected("is silent")

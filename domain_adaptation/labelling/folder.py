"""Label any folder of sounds with a model folder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from domain_adaptation.data.clip_store import BATCH
from domain_adaptation.labelling.batches import ModelPlace, model_at, place_of
from domain_adaptation.labelling.dataset import labels_by_name, labels_table
from domain_adaptation.labelling.inference import Labels, joined, read_clips
from domain_adaptation.models.model_folder import Model, load_model
from texturelib.audio import Notes, read_mono
from texturelib.errors import Rejected, TextureError
from texturelib.executors import Executor, Local
from texturelib.files import import_pandas, shown, write_json, write_table
from texturelib.jobs import run_jobs
from texturelib.learning.memory import keep_freed_memory
from texturelib.learning.one_thread import one_thread
from texturelib.made import named_by_the_user
from texturelib.sound_files import find_audio

_THIS_MACHINE = Local()


def label_folder(
    model_folder: Path,
    audio: Path,
    table: Path,
    executor: Executor = _THIS_MACHINE,
    workers: int | None = None,
) -> tuple[int, dict[str, str], dict[str, str]]:
    """Write a table of labels of all sounds in a folder, as `table`, a CSV, and the same as JSON
    beside it. There is a row per clip; a longer sound has a row per segment of the model's length,
    end to end, with its start_seconds. Sounds at other sample rates are resampled, several channels
    mixed.

    -> how many rows; files that were left out, and why; files that were not read as they stand, and
    how. Errors: TextureError when there is nothing to label.
    """
    pd = import_pandas()  # names may hold anything

    keep_freed_memory()
    model = load_model(model_folder)
    audio = audio.absolute()
    paths = find_audio(audio)
    if not paths:
        raise TextureError(f"{shown(audio)}: holds no sound files")
    batches = {
        str(start): [*map(str, paths[start : start + BATCH])]
        for start in range(0, len(paths), BATCH)
    }
    work = partial(_label_files, place_of(model_folder, is_fused=True), audio)
    with one_thread():
        found = run_jobs(
            batches,
            work,
            None,
            label="labelling",
            executor=executor,
            workers=workers,
            in_threads=True,
            reads=audio,
            unit="batch",
        )
    parts: list[_Part] = list(found.values())
    rejected = {name: reason for part in parts for name, reason in part.rejected.items()}
    segments = pd.DataFrame([row for part in parts for row in part.rows])
    if segments.empty:
        name, reason = next(iter(rejected.items()))
        raise TextureError(
            f"{shown(audio)}: none of {len(paths)} files can be labelled; {name}: {reason}"
        )
    labels = joined([labels for part in parts for labels in part.labels])
    if not segments["file_name"].duplicated().any() and not segments["start_seconds"].any():
        segments = segments[["file_name"]]  # every sound is one clip
    content = pd.concat([segments, labels_table(model, labels)], axis=1)
    with named_by_the_user():
        write_table(table, content, is_durable=True)
        if len(segments.columns) == 1:
            write_json(table.with_suffix(".json"), labels_by_name(content), is_durable=True)
        else:
            write_json(table.with_suffix(".json"), content.to_dict("records"), is_durable=True)
    notes = {
        name: note for part in parts for name, note in part.notes.items() if name not in rejected
    }
    return len(segments), rejected, notes


@dataclass(frozen=True)
class _Part:
    """The results for some of the files: a row per segment, their labels in batches, the files left
    out, and notes on others."""

    rows: list[dict[str, object]] = field(default_factory=list)
    labels: list[Labels] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


def _label_files(place: ModelPlace, audio: Path, paths: Sequence[str]) -> _Part:
    with one_thread():
        return _labelled(model_at(place), audio, [Path(path) for path in paths])


def _labelled(model: Model, audio: Path, paths: Sequence[Path]) -> _Part:
    part = _Part()
    waiting: list[np.ndarray] = []
    for path in paths:
        name = path.relative_to(audio).as_posix()
        notes = Notes()
        try:
            for start, segment in _segments(model, path, notes):
                part.rows.append({"file_name": name, "start_seconds": round(start, 4)})
                waiting.append(segment)
                if len(waiting) == BATCH:
                    part.labels.append(read_clips(model, np.stack(waiting)))
                    waiting.clear()
        except FileNotFoundError:
            part.rejected[name] = "is a link that leads nowhere"
        except Rejected as reason:
            part.rejected[name] = str(reason)
        if notes.sentences:
            part.notes[name] = "; ".join(notes.sentences)
    if waiting:
        part.labels.append(read_clips(model, np.stack(waiting)))
    return part


def _segments(model: Model, path: Path, notes: Notes) -> Iterator[tuple[float, np.ndarray]]:
    """Yield the segments of a sound: start in seconds, and samples [n_samples] at the model's
    sample rate.

    Errors: Rejected, with why there is none.
    """
    spec = model.spec
    samples = read_mono(path, spec.sample_rate, notes)
    n_samples = round(spec.seconds * spec.sample_rate)
    if len(samples) < n_samples:
        raise Rejected(
            f"lasts {len(samples)} samples at {spec.sample_rate} Hz; the model reads clips of {n_samples}"
        )
    is_silent = True
    for start in range(0, len(samples) - n_samples + 1, n_samples):
        clip = samples[start : start + n_samples]
        if clip.max() > clip.min():  # an offset (DC) is no sound
            is_silent = False
            yield start / spec.sample_rate, clip
    if is_silent:
        raise Rejected("is silent")

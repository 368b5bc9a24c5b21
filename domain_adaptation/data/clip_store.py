"""The clip store: all clips of a dataset, decoded and resampled once, read a batch at a time."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from texturelib.audio import mix_down
from texturelib.config import ConfigPath, StageConfig
from texturelib.dataset import Dataset, clip_at
from texturelib.errors import TextureError
from texturelib.executors import Executor
from texturelib.files import shown
from texturelib.jobs import run_jobs
from texturelib.learning.one_thread import one_thread
from texturelib.locks import BeingWrittenError, wait_until_free
from texturelib.made import claim, open_ours
from texturelib.outputs import WrittenMeanwhileError, check_output
from texturelib.written import record_part

_CUT_OFF = "{}: is cut off; remove its folder, and the same command makes it anew"
_REPLACED = "{}: another run has made it anew while this one read it; start the same command again"
_JOURNAL = "journal.jsonl"
BATCH = 64
"""Number of clips that are read at a time: enough to keep the resampler and a network busy, few
enough for any memory."""


class StoreConfig(StageConfig):
    """The settings that a store is made from."""

    clips: ConfigPath
    sample_rate: int


@dataclass(frozen=True)
class ClipStore:
    """The clips of a dataset in one file, [n_clips, n_samples] of 16 bits, each with its peak at
    full scale.

    Rows are read, not mapped: a set larger than the memory costs no more than its batches.
    """

    path: Path
    n_clips: int
    n_samples: int
    identity: tuple[int, int]
    """The identity of the file (see `_identity`), since another file may take its place."""

    def __len__(self) -> int:
        return self.n_clips

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Return the clips of these rows.

        rows: [batch] -> [batch, n_samples] int16.
        """
        clips = np.empty((len(rows), self.n_samples), np.int16)
        n_bytes = clips.itemsize * self.n_samples
        file = os.open(self.path, os.O_RDONLY)
        try:
            if _identity(os.fstat(file)) != self.identity:
                raise TextureError(_REPLACED.format(shown(self.path)))
            for clip, row in zip(clips, rows, strict=True):
                if os.preadv(file, [clip.data], int(row) * n_bytes) != n_bytes:
                    raise TextureError(_CUT_OFF.format(shown(self.path)))
        finally:
            os.close(file)
        return clips


def _identity(facts: os.stat_result) -> tuple[int, int]:
    # A new file may get the number of one that was removed before it.
    return facts.st_ino, facts.st_mtime_ns


def clip_store(
    dataset: Dataset, sample_rate: int, folder: Path, executor: Executor | None = None
) -> ClipStore:
    """Return the store of every clip of `dataset` at `sample_rate`, made in `folder` unless it is
    there.

    executor: who makes it; this machine unless given. Errors: TextureError, naming a clip that is
    missing, damaged or silent.
    """
    config = StoreConfig(output=folder, clips=dataset.folder, sample_rate=sample_rate)
    path = folder / "clips.s16"
    while True:
        wait_until_free(folder)  # a training that runs side by side may be making it right now
        try:
            output = check_output(
                config, "domain-adaptation clips", inputs={"clips": dataset.folder}, overwrite=True
            )
            if not output.is_done:
                output.begin()
        except (BeingWrittenError, WrittenMeanwhileError):  # another one was quicker
            continue
        break
    n_samples = -(-dataset.n_samples * sample_rate // dataset.sample_rate)
    if not output.is_done:
        _write(path, n_samples, dataset, sample_rate, executor or config.executor)
        output.finish(discard=(_JOURNAL,))
    facts = path.stat()
    if facts.st_size != 2 * len(dataset) * n_samples:
        raise TextureError(_CUT_OFF.format(shown(path)))
    return ClipStore(path, len(dataset), n_samples, _identity(facts))


def read_batch(
    paths: Sequence[Path], sample_rate: int, n_samples: int, n_channels: int
) -> np.ndarray:
    """Read clips from files; those of several channels are mixed down.

    -> [batch, n_samples] float32. Errors: TextureError, naming a clip that is missing, damaged or
    silent.
    """
    clips = np.stack(
        [mix_down(clip_at(path, sample_rate, n_samples, n_channels)) for path in paths]
    )
    for path, clip in zip(paths, clips, strict=True):
        if not clip.any():
            raise TextureError(
                f"{shown(path)}: is silent, so it has no features; leave it out of metadata.csv"
            )
    return clips


def batches_of(dataset: Dataset) -> dict[str, list[str]]:
    """Return the file names of each batch, by the row that the batch begins with.

    The batches are the same whoever works on them.
    """
    names = dataset.metadata["file_name"]
    return {
        str(start): names.iloc[start : start + BATCH].tolist()
        for start in range(0, len(dataset), BATCH)
    }


def _write(
    path: Path, n_samples: int, dataset: Dataset, sample_rate: int, executor: Executor
) -> None:
    """Write a store file, in parallel by batches. n_samples: length of each clip at
    `sample_rate`."""
    # A name of its own while it grows: each batch has its place in it, and is written there by
    # whoever is done with it.
    unfinished = path.with_suffix(".unfinished")
    if path.exists():  # of a run that was stopped before it could say that it has finished
        claim(unfinished, is_durable=True)
        path.replace(unfinished)
    with open_ours(unfinished, "ab") as file:
        file.truncate(2 * len(dataset) * n_samples)
    journal = path.with_name(_JOURNAL)
    batches = {start: (int(start), names) for start, names in batches_of(dataset).items()}
    work = partial(
        _write_batch,
        unfinished,
        dataset.folder,
        dataset.sample_rate,
        dataset.n_samples,
        dataset.n_channels,
        sample_rate,
    )
    label = f"reading {shown(dataset.folder)}"
    with one_thread():
        run_jobs(
            batches, work, journal, label=label, executor=executor, in_threads=True, unit="batch"
        )
    claim(path, is_durable=True)
    unfinished.replace(path)


def _write_batch(
    unfinished: Path,
    folder: Path,
    sample_rate: int,
    n_samples: int,
    n_channels: int,
    new_sample_rate: int,
    batch: tuple[int, list[str]],
) -> None:
    """Write one batch into its place in the unfinished store.

    batch: the row that it begins with, and its file names.
    """
    import torch

    from domain_adaptation.data.waveforms import prepared, to_full_scale

    start, names = batch
    clips = read_batch([folder / name for name in names], sample_rate, n_samples, n_channels)
    with one_thread(), torch.inference_mode():
        rows = to_full_scale(
            prepared(torch.from_numpy(clips), sample_rate, new_sample_rate)
        ).numpy()
    place, content = start * rows[0].nbytes, rows.tobytes()
    with open_ours(unfinished, "r+b") as file:
        file.seek(place)
        file.write(content)
    record_part(unfinished, place, content)

"""All clips of a dataset, decoded and resampled once: what trainings read from, a batch at a time."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from texturelib.config import ConfigPath, StageConfig
from texturelib.dataset import Dataset
from texturelib.errors import TextureError
from texturelib.files import shown, whole_file
from texturelib.locks import BeingWrittenError, wait_until_free
from texturelib.outputs import look_at_output
from texturelib.progress import progress

_CUT_OFF = "{}: is cut off; remove its folder, and the same command makes it anew"
_REPLACED = "{}: another run has made it anew while this one read it; start the same command again"
_BATCH = 64  # clips; large enough to keep the resampler busy, small enough for any memory


class StoreConfig(StageConfig):
    """What a store is made from."""

    clips: ConfigPath
    sample_rate: int


@dataclass(frozen=True)
class ClipStore:
    """Clips in a file, [n_clips, n_samples] of 16 bits, each one's peak at full scale.

    Rows are read, not mapped: a set larger than the memory costs no more than its batches.
    """

    path: Path
    n_clips: int
    n_samples: int
    inode: int
    """Of the file, since another may come to stand in its place."""

    def __len__(self) -> int:
        return self.n_clips

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """rows: [batch] -> [batch, n_samples] int16."""
        clips = np.empty((len(rows), self.n_samples), np.int16)
        n_bytes = clips.itemsize * self.n_samples
        file = os.open(self.path, os.O_RDONLY)
        try:
            if os.fstat(file).st_ino != self.inode:
                raise TextureError(_REPLACED.format(shown(self.path)))
            for clip, row in zip(clips, rows, strict=True):
                if os.preadv(file, [clip.data], int(row) * n_bytes) != n_bytes:
                    raise TextureError(_CUT_OFF.format(shown(self.path)))
        finally:
            os.close(file)
        return clips


def clip_store(dataset: Dataset, sample_rate: int, folder: Path) -> ClipStore:
    """-> every clip of `dataset` at `sample_rate`, from `folder`, made there unless it is there already.

    Errors: TextureError, naming a clip that is missing, damaged or silent.
    """
    config = StoreConfig(output=folder, clips=dataset.folder, sample_rate=sample_rate)
    path = folder / "clips.s16"
    while True:
        wait_until_free(folder)  # a training that runs side by side may be making it right now
        try:
            output = look_at_output(config, "domain-adaptation clips", inputs={"clips": dataset.folder}, overwrite=True)
            if not output.is_done:
                output.begin()
        except BeingWrittenError:  # another one was quicker
            continue
        break
    if not output.is_done:
        _write(path, dataset, sample_rate)
        output.finish()
    facts = path.stat()
    store = ClipStore(path, len(dataset), -(-dataset.n_samples * sample_rate // dataset.sample_rate), facts.st_ino)
    if facts.st_size != 2 * store.n_clips * store.n_samples:
        raise TextureError(_CUT_OFF.format(shown(path)))
    return store


def read_batch(dataset: Dataset, rows: Sequence[int]) -> np.ndarray:
    """-> [batch, n_samples] float32. Errors: TextureError, naming a clip that is missing, damaged or silent."""
    clips = np.stack([dataset.clip(row) for row in rows])
    for row, clip in zip(rows, clips, strict=True):
        if not clip.any():
            raise TextureError(f"{shown(dataset.path(row))}: is silent, so it has no features; leave it out of metadata.csv")
    return clips


def _write(path: Path, dataset: Dataset, sample_rate: int) -> None:
    import torch

    from domain_adaptation.waveforms import prepared, to_full_scale

    with whole_file(path) as part, part.open("wb") as file, torch.inference_mode():
        starts = range(0, len(dataset), _BATCH)
        for start in progress(starts, f"reading {shown(dataset.folder)}", unit="batch"):
            clips = read_batch(dataset, range(start, min(start + _BATCH, len(dataset))))
            waveforms = prepared(torch.from_numpy(clips), dataset.sample_rate, sample_rate)
            file.write(to_full_scale(waveforms).numpy().tobytes())

"""Compute the labels of clips, batch by batch."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import joblib
import numpy as np
import torch

from domain_adaptation.data.clip_store import BATCH, read_batch
from domain_adaptation.data.waveforms import prepared
from domain_adaptation.models.extractor import Reading
from domain_adaptation.models.model_folder import Model
from domain_adaptation.training.clips import Rows
from texturelib.dataset import Dataset
from texturelib.errors import TextureError
from texturelib.learning.one_thread import one_thread

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Labels:
    """The labels of clips, and how far they may be off.

    labels, scale: [clips, controls] float32; scale is that of a Laplace distribution, see
    `Extractor.read`. Labels are not held to 0..1.
    """

    labels: np.ndarray
    scale: np.ndarray

    def of(self, rows: np.ndarray) -> "Labels":
        return Labels(self.labels[rows], self.scale[rows])


def read_waveforms_of(model: Model, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
    """Return clips of a dataset at the features' sample rate.

    -> [rows, samples] float32. Errors: TextureError, naming a clip that is missing, damaged or
    silent.
    """
    paths = [dataset.path(row) for row in rows]
    clips = read_batch(paths, dataset.sample_rate, dataset.n_samples, dataset.n_channels)
    return prepared(
        torch.from_numpy(clips), dataset.sample_rate, model.spec.features.sample_rate
    ).numpy()


def read_clips(model: Model, clips: np.ndarray) -> Labels:
    """Return the labels of clips at the model's sample rate, computed as one batch.

    clips: [clips, samples], none silent.
    """
    spec = model.spec
    with torch.inference_mode():
        waveforms = prepared(torch.from_numpy(clips), spec.sample_rate, spec.features.sample_rate)
        return _labels(model.extractor.eval().read(spec.features.compute(waveforms)))


def joined(parts: Sequence[Labels]) -> Labels:
    """Return the labels of all parts, one after the other."""
    return Labels(
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.scale for part in parts]),
    )


def _on_every_core(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Return `work` of each item, in order, computed in threads. For work that is mostly
    torch's."""
    with one_thread():
        results = joblib.Parallel(n_jobs=-1, prefer="threads")(
            joblib.delayed(work)(item) for item in items
        )
    return cast("list[Result]", results)


def read_store(
    model: Model, store: Rows, rows: np.ndarray | None = None, *, augment_seed: int | None = None
) -> Labels:
    """Return the labels of clips in a store.

    rows: which clips; all when None. augment_seed: seed of the augmentation of synthetic clips;
    None reads them as they are.
    """
    n_clips = len(store) if rows is None else len(rows)
    return _read(model, n_clips, _rows_of(store, rows), augment_seed)


def read_waveforms(model: Model, clips: np.ndarray) -> Labels:
    """Return the labels of clips at the features' sample rate.

    clips: [clips, samples], none silent.
    """
    return _read(
        model, len(clips), lambda batch: torch.from_numpy(clips[batch.start : batch.stop]).float()
    )


def encode_store(model: Model, store: Rows, *, augment_seed: int | None = None) -> np.ndarray:
    """Return the encodings of the clips in a store, [clips, n_features] float32; arguments as
    `read_store`."""
    return np.concatenate(_in_batches(model, len(store), _rows_of(store), _encoded, augment_seed))


def _rows_of(store: Rows, rows: np.ndarray | None = None) -> Callable[[range], torch.Tensor]:
    chosen = np.arange(len(store)) if rows is None else rows
    return lambda batch: torch.from_numpy(store[chosen[batch.start : batch.stop]]).float()


def _read(
    model: Model,
    n_clips: int,
    clips: Callable[[range], torch.Tensor],
    augment_seed: int | None = None,
) -> Labels:
    return joined(_in_batches(model, n_clips, clips, _labels, augment_seed))


def _labels(reading: Reading) -> Labels:
    """Return the labels of a reading as arrays.

    Errors: TextureError when some are not finite, as from weights so large that the result for a
    clip overflows.
    """
    found = Labels(reading.labels.cpu().numpy(), reading.scale.cpu().numpy())
    is_read = np.isfinite(found.labels).all(axis=1) & np.isfinite(found.scale).all(axis=1)
    if n_wrong := len(found.labels) - np.count_nonzero(is_read):
        counted = f"{n_wrong} of {len(found.labels)} clips"
        raise TextureError(
            f"the network reads NaN or infinity from {counted} of a batch; train it anew, with a smaller lr"
        )
    return found


def _encoded(reading: Reading) -> np.ndarray:
    return reading.encoded.cpu().numpy()


def _in_batches(
    model: Model,
    n_clips: int,
    clips: Callable[[range], torch.Tensor],
    part: Callable[[Reading], Result],
    augment_seed: int | None = None,
) -> list[Result]:
    """Return the wanted part of each batch's reading, so that nothing else stays in memory."""
    extractor, features = model.extractor.eval(), model.spec.features
    device = next(extractor.parameters()).device

    @torch.inference_mode()
    def read(batch: range) -> Result:
        waveforms = clips(batch).to(device)
        if augment_seed is not None:
            waveforms = features.augment(waveforms)
        return part(extractor.read(features.compute(waveforms)))

    batches = [range(start, min(start + BATCH, n_clips)) for start in range(0, n_clips, BATCH)]
    if augment_seed is not None:
        # One after the other: their random numbers come from one generator.
        with torch.random.fork_rng():
            torch.manual_seed(augment_seed)
            return [read(batch) for batch in batches]
    return _on_every_core(read, batches)

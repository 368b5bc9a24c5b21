"""Label many clips in parallel, with results that do not depend on the number of workers.

Batches do not depend on the workers, and each worker loads a model once.
"""

import base64
import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from domain_adaptation.data.clip_store import batches_of, read_batch
from domain_adaptation.labelling.inference import Labels, joined, read_clips
from domain_adaptation.models.extractor import fused
from domain_adaptation.models.model_folder import Model, load_model
from texturelib.dataset import Dataset
from texturelib.executors import Executor
from texturelib.jobs import run_jobs
from texturelib.learning.memory import keep_freed_memory
from texturelib.learning.one_thread import one_thread


class ModelPlace(NamedTuple):
    """A model folder, and the identity of its weights: when they change, a running worker loads
    them again."""

    folder: Path
    digest: str
    is_fused: bool = False


def place_of(folder: Path, is_fused: bool = False) -> ModelPlace:
    """Return the place of a model folder that was loaded before.

    is_fused: to label faster, with other rounding.
    """
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    return ModelPlace(folder.absolute(), digest, is_fused)


@functools.lru_cache(maxsize=4)
def model_at(place: ModelPlace) -> Model:
    """Return the model, loaded from its folder the first time. Errors: TextureError."""
    keep_freed_memory()
    model = load_model(place.folder)
    return model.with_extractor(fused(model.extractor)) if place.is_fused else model


@dataclass(frozen=True)
class _Batch:
    """The task of a worker: label one batch of a dataset."""

    models: Mapping[str, ModelPlace]
    folder: Path
    sample_rate: int
    n_samples: int
    n_channels: int

    def labelled(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Return the labels and their scales, by model, in a form that JSON can hold.

        names: of the files.
        """
        paths = [self.folder / name for name in names]
        clips = read_batch(paths, self.sample_rate, self.n_samples, self.n_channels)
        with one_thread():
            found = {
                name: read_clips(model_at(place), clips) for name, place in self.models.items()
            }
        return {name: [_packed(each.labels), _packed(each.scale)] for name, each in found.items()}


def label_dataset(
    models: Mapping[str, Path],
    dataset: Dataset,
    journal: Path,
    executor: Executor,
    workers: int | None = None,
) -> dict[str, Labels]:
    """Return the labels of every clip of a dataset, by model.

    models: folders of models that read the dataset's controls, by name. journal: as for `run_jobs`.
    Errors: TextureError, naming a clip that is missing, damaged or silent.
    """
    places = {name: place_of(folder) for name, folder in models.items()}
    n_controls = len(model_at(next(iter(places.values()))).spec.names)
    work = _Batch(
        places,
        dataset.folder.absolute(),
        dataset.sample_rate,
        dataset.n_samples,
        dataset.n_channels,
    ).labelled
    with one_thread():
        found = run_jobs(
            batches_of(dataset),
            work,
            journal,
            label="labelling",
            executor=executor,
            workers=workers,
            in_threads=True,
            unit="batch",
        )
    return {
        name: joined(
            [
                Labels(*(_unpacked(text, n_controls) for text in batch[name]))
                for batch in found.values()
            ]
        )
        for name in models
    }


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode()


def _unpacked(text: str, n_controls: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(-1, n_controls)

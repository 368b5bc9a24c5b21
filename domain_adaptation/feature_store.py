"""Features of a whole dataset: computed once, kept on disk, read as they are needed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from domain_adaptation.config import AdaptationConfig
from domain_adaptation.features import Features
from texturelib.dataset import Dataset, read_dataset
from texturelib.errors import TextureError
from texturelib.files import shown, whole_file
from texturelib.outputs import look_at_output
from texturelib.progress import progress

_BATCH = 64  # clips; large enough to keep the transform busy, small enough for any memory


def synthetic_features(config: AdaptationConfig) -> tuple[Dataset, np.ndarray]:
    """-> the synthetic set and its features [clips, channels, ...] float32, each clip's noise drawn from (seed, clip)."""
    dataset = read_dataset(config.synthetic)
    if not dataset.controls:
        raise TextureError(
            f"synthetic: {shown(dataset.folder)}: has no controls; it should come from synthetic-datasets generate"
        )

    def disturbed(index: int) -> np.ndarray:
        rng = np.random.default_rng([config.seed, index])
        return config.features.disturb(_audible(dataset, index), dataset.sample_rate, rng)

    return dataset, _kept(config, "synthetic", dataset, disturbed, {"features", "seed"})


def real_features(config: AdaptationConfig) -> tuple[Dataset, np.ndarray]:
    """-> the real set and its features [clips, channels, ...] float32."""
    dataset, synthetic = read_dataset(config.real), read_dataset(config.synthetic)
    for name in ("sample_rate", "seconds"):
        ours, theirs = getattr(dataset, name), getattr(synthetic, name)
        if ours != theirs:
            raise TextureError(
                f"real: {shown(dataset.folder)}: {name} is {ours:g}, but the synthetic set's is {theirs:g}; make them alike"
            )
    return dataset, _kept(config, "real", dataset, partial(_audible, dataset), {"features"})


def _kept(
    config: AdaptationConfig, name: str, dataset: Dataset, read_clip: Callable[[int], np.ndarray], depends_on: set[str]
) -> np.ndarray:
    output = look_at_output(
        config,
        "features",
        folder=config.output / "features" / name,
        only=depends_on,
        inputs={"clips": dataset.folder},
        overwrite=True,
    )
    path = output.folder / "features.npy"
    if not output.is_done:
        output.begin()
        _compute(config.features, dataset, read_clip, path, f"features of {name} clips")
        output.finish()
    return np.load(path, mmap_mode="r")


def _compute(features: Features, dataset: Dataset, read_clip: Callable[[int], np.ndarray], path: Path, label: str) -> None:
    import torch

    starts = range(0, len(dataset), _BATCH)
    with whole_file(path) as part:
        kept = None
        for start in progress(starts, label, unit="batch"):
            indices = range(start, min(start + _BATCH, len(dataset)))
            clips = np.stack([read_clip(index) for index in indices])
            with torch.inference_mode():
                batch = features.compute(torch.from_numpy(clips), dataset.sample_rate).numpy()
            is_finite = np.isfinite(batch).reshape(len(batch), -1).all(axis=1)
            if not is_finite.all():
                clip = dataset.path(start + int(is_finite.argmin()))
                raise TextureError(f"{shown(clip)}: its features are not numbers; check it and the features' settings")
            if kept is None:
                shape = (len(dataset), *batch.shape[1:])
                kept = np.lib.format.open_memmap(part, mode="w+", dtype=np.float32, shape=shape)
            kept[start : start + len(batch)] = batch
        if kept is not None:
            kept.flush()


def _audible(dataset: Dataset, index: int) -> np.ndarray:
    clip = dataset.clip(index)
    if not clip.any():
        raise TextureError(f"{shown(dataset.path(index))}: is silent, so it has no features; leave it out of metadata.csv")
    return clip

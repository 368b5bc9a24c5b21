"""The synthetic and the real set that trainings read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain_adaptation.config import AdaptationConfig
from domain_adaptation.data.clip_store import ClipStore, clip_store
from texturelib.controls import Control
from texturelib.dataset import Dataset, read_dataset, read_description
from texturelib.errors import TextureError
from texturelib.files import shown


@dataclass(frozen=True)
class ClipSet:
    """A dataset, and its clips at the features' sample rate."""

    dataset: Dataset
    store: ClipStore


def synthetic_set(config: AdaptationConfig) -> ClipSet:
    """Open the synthetic set. Errors: TextureError when it has no controls."""
    dataset = read_dataset(config.synthetic)
    if not dataset.controls:
        raise TextureError(
            f"synthetic: {shown(dataset.folder)}: has no controls; it should come from synthetic-datasets generate"
        )
    return ClipSet(
        dataset,
        clip_store(
            dataset,
            config.features.sample_rate,
            config.output / "clips" / "synthetic",
            config.executor,
        ),
    )


def real_set(config: AdaptationConfig) -> ClipSet:
    """Open the real set. Errors: TextureError when its clips differ from the synthetic ones in
    sample rate or length."""
    dataset = read_dataset(config.real)
    check_clips_alike("real", dataset, "the synthetic set's", _description(config))
    return ClipSet(
        dataset,
        clip_store(
            dataset, config.features.sample_rate, config.output / "clips" / "real", config.executor
        ),
    )


def check_clips_alike(key: str, dataset: Dataset, whose: str, other: Mapping[str, Any]) -> None:
    """Check that the clips of a dataset have the sample_rate and seconds of `other`.

    Errors: TextureError when they differ.
    """
    for name in ("sample_rate", "seconds"):
        ours, theirs = getattr(dataset, name), other[name]
        if ours != theirs:
            raise TextureError(
                f"{key}: {shown(dataset.folder)}: {name} is {ours:g}, but {whose} is {theirs:g}; make them alike"
            )


def sources_of(dataset: Dataset) -> np.ndarray:
    """Return the recording that each clip was cut from.

    -> [clips]. Where the dataset does not say, all clips count as one recording.
    """
    if "source" not in dataset.metadata:
        return np.full(len(dataset), "")
    return dataset.metadata["source"].fillna("").astype(str).to_numpy()


def controls_of(descriptions: "tuple[dict[str, Any], ...]") -> list[Control]:
    return [Control.from_description(description) for description in descriptions]


def _description(config: AdaptationConfig) -> Mapping[str, Any]:
    return read_description(config.synthetic)

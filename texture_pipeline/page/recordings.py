"""The page's parts on sounds: the synthetic clips and the recordings."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from texture_pipeline.page.album import Album
from texture_pipeline.page.config import PageConfig
from texturelib.controls import Control
from texturelib.dataset import read_dataset
from texturelib.evenly import evenly_spread
from texturelib.files import read_table

_EXAMPLES = 7


def synthetic(config: PageConfig, album: Album) -> dict[str, Any] | None:
    if config.synthetic is None:
        return None
    from texturelib.pictures import BLUE, panels, save_picture

    dataset = read_dataset(config.synthetic)
    figure, axes = panels(len(dataset.controls))
    for axis, name in zip(axes, dataset.controls, strict=False):
        axis.hist(dataset.metadata[name], bins=20, color=BLUE)
        axis.set(xlabel=f"{name} (slider)", xlim=(0, 1))
    axes[0].set_ylabel("clips")
    save_picture(figure, config.output / "pictures" / "synthetic_controls.png")
    controls = [
        {**control, "used_physical": _physical_range(control)}
        for control in dataset.description["controls"]
    ]
    return {
        "description": dataset.description,
        "controls": controls,
        "histograms": "pictures/synthetic_controls.png",
        "clips": [album.clip(dataset, index) for index in evenly_spread(len(dataset), _EXAMPLES)],
    }


def real(config: PageConfig, album: Album) -> dict[str, Any] | None:
    if config.real is None:
        return None
    dataset = read_dataset(config.real)
    sources = dataset.metadata["source"]
    rejected = read_table(config.real / "rejected.csv")
    return {
        "description": dataset.description,
        "longest_sources": sources.value_counts().head(12).to_dict(),
        "n_sources": sources.nunique(),
        "rejected": rejected.head(20).to_dict("records"),
        "n_rejected": len(rejected),
        "overview": album.picture(config.real / "overview.png"),
        "clips": [album.clip(dataset, index) for index in evenly_spread(len(dataset), _EXAMPLES)],
    }


def _physical_range(control: Mapping[str, Any]) -> list[float]:
    return Control.from_description(control).to_physical(np.array(control["used"])).tolist()

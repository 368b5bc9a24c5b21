"""The network that the thesis trained on its own patch reads the controls from our sounds: they are
the same sound."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from domain_adaptation.data.waveforms import prepared
from domain_adaptation.features.mel import Mel
from domain_adaptation.models.extractor import Extractor
from synthetic_datasets.config import SyntheticConfig
from synthetic_datasets.level import UNITY

RATE = 44100
RANGES = {
    "avgRate": (0.2, 0.75),
    "minRadius": (0.1, 0.5),
    "maxRadius": (0.5, 0.8),
    "expRadius": (0.2, 0.8),
}

ENGINES = [
    # On its own sounds the thesis's network is off by 0.0494; of this model of its patch 0.0507 was
    # once measured.
    pytest.param({"type": "liquid"}, 0.055, id="liquid"),
    pytest.param(
        {"type": "puredata", "patch": "liquid"},
        0.075,
        id="puredata",
        marks=pytest.mark.skipif(
            not shutil.which("puredata"), reason="needs Pure Data (puredata-core)"
        ),
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "largest_error"), ENGINES)
def test_the_thesis_network_reads_our_controls(
    thesis_extractor: Extractor, engine: dict[str, Any], largest_error: float
) -> None:
    model = TypeAdapter(
        SyntheticConfig.model_fields["engine"].rebuild_annotation()
    ).validate_python({**engine, "controls": RANGES})
    rng = np.random.default_rng(1)
    grid = np.stack(
        [np.linspace(low, high, 10)[rng.integers(10, size=500)] for low, high in RANGES.values()],
        axis=1,
    )

    with model.started(1.0, RATE, 2) as started, ThreadPoolExecutor(2) as pool:

        def render(point: np.ndarray, index: int) -> np.ndarray:
            return started.render(
                dict(zip(RANGES, point, strict=True)), UNITY, np.random.default_rng([2, index])
            )

        clips = np.stack(list(pool.map(render, grid, range(len(grid)))))
    mel = Mel(remove_mean=False)
    with torch.no_grad():
        read = torch.cat(
            [
                thesis_extractor(mel.compute(prepared(torch.from_numpy(part), RATE, 32000)))
                for part in np.array_split(clips, 10)
            ]
        )

    errors = dict(
        zip(RANGES, np.abs(read.numpy() - grid).mean(axis=0).round(4).tolist(), strict=True)
    )
    mean = np.mean(list(errors.values()))
    # Pytest -s shows it.
    print(f"\n{model.type}: mean absolute error {mean:.4f} over {len(grid)} clips: {errors}")
    assert mean <= largest_error

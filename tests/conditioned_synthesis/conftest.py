"""A small labelled set, as stage 3 leaves one, and the command line in this process."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conditioned_synthesis.cli import app
from texturelib.audio import write_wav
from texturelib.dataset import write_dataset

SAMPLE_RATE, SECONDS = 22050, 0.1
CONTROLS = [
    {"name": "rate", "unit": "bubbles/s", "low": 1.2, "high": 100000.0, "curve": "exponential", "offset": 0.0},
    {"name": "radius", "unit": "mm", "low": 0.5, "high": 150.0, "curve": "linear", "offset": 0.0},
]


def _make_labelled(folder: Path, n_clips: int = 60, file_name: Callable[[int], str] = "audio/river_{}.wav".format) -> Path:
    """Noise with bell-shaped `rate` labels and even `radius` labels, one of each beyond 0..1, as a network gives them."""
    rng = np.random.default_rng(0)
    metadata = pd.DataFrame({"file_name": [file_name(index) for index in range(n_clips)]})
    metadata["rate"] = np.append(np.clip(rng.normal(0.5, 0.1, n_clips - 1), 0.2, 0.8), -0.05)
    metadata["radius"] = np.linspace(0.1, 1.02, n_clips)
    metadata["source"] = "river.mp3"
    metadata["start_seconds"] = np.arange(n_clips) * SECONDS
    for name in metadata["file_name"]:
        write_wav(folder / name, rng.uniform(-0.5, 0.5, round(SAMPLE_RATE * SECONDS)), SAMPLE_RATE)
    write_dataset(
        folder, metadata, sample_rate=SAMPLE_RATE, seconds=SECONDS, controls=CONTROLS, provenance={"kind": "recordings"}
    )
    return folder


def _spoil(labelled: Path, row: int, column: str, value: object) -> None:
    """Change one cell of metadata.csv."""
    table = pd.read_csv(labelled / "metadata.csv", dtype=object)
    table.loc[row, column] = value
    table.to_csv(labelled / "metadata.csv", index=False)


@pytest.fixture
def make_labelled() -> Callable[..., Path]:
    return _make_labelled


@pytest.fixture
def spoil() -> Callable[[Path, int, str, object], None]:
    return _spoil


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    return _make_labelled(tmp_path / "labels")


@pytest.fixture
def config(tmp_path: Path, labelled: Path) -> Path:
    """A config file of this labelled set, everything else as it comes; its output is tmp_path / "out"."""
    path = tmp_path / "synthesis.json"
    path.write_text(json.dumps({"output": "out", "labelled": "labels"}))
    return path


@pytest.fixture
def command(run_command: Callable[..., tuple[int, str, str]]) -> Callable[..., tuple[int, str, str]]:
    """Run a command line. -> exit status, what it printed, and its errors."""
    return partial(run_command, app)

"""A folder of recordings, a config that cuts it, and the command line in this process."""

import json
import socket
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from real_datasets.build import build
from real_datasets.cli import app
from real_datasets.config import RealConfig
from texturelib.config import load_config
from texturelib.outputs import check_output

SAMPLE_RATE, SECONDS = 44100, 0.1  # of a segment: 4410 samples


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """`n_segments` segments of noise at `level_dbfs` (root mean square), then `n_more` samples;
    never the same twice."""
    random = np.random.default_rng(0)

    def make(n_segments: float, level_dbfs: float = -20.0, n_more: int = 0) -> np.ndarray:
        samples = random.uniform(-1, 1, round(n_segments * SAMPLE_RATE * SECONDS) + n_more)
        # Uniform noise of peak 1 has a level of 1/sqrt(3).
        return samples * np.sqrt(3) * 10 ** (level_dbfs / 20)

    return make


@pytest.fixture
def square() -> Callable[[float], np.ndarray]:
    """A segment that leaps from `level` to -`level` and back with every sample; its root mean
    square is the level."""
    return lambda level: level * np.resize([1.0, -1.0], round(SAMPLE_RATE * SECONDS))


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Path]:
    """Write tmp_path/recordings/NAME, by soundfile unless its content is given as bytes."""

    def write(
        name: str, content: "np.ndarray | bytes", sample_rate: int = SAMPLE_RATE, **format_: str
    ) -> Path:
        path = tmp_path / "recordings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            soundfile.write(path, content, sample_rate, **format_)
        return path

    return write


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config file that cuts tmp_path/recordings into tmp_path/real."""
    path = tmp_path / "real.json"
    content = {
        "output": "real",
        "source": {"type": "folder", "path": "recordings"},
        "seconds": SECONDS,
    }
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def cut(config: Path, tmp_path: Path) -> Callable[..., Path]:
    """Build the config's output with `changes` ("key=value"). -> the dataset folder."""

    def run(*changes: str, workers: int = 1) -> Path:
        settings = load_config(config, RealConfig, changes)
        build(
            settings,
            check_output(settings, "real-datasets build", inputs=settings.source.inputs),
            workers=workers,
        )
        return tmp_path / "real"

    return run


@pytest.fixture
def command(
    run_command: Callable[..., tuple[int, str, str]],
) -> Callable[..., tuple[int, str, str]]:
    """Run a command line. -> exit status, what it printed, and its errors."""
    return partial(run_command, app)


@pytest.fixture
def contents(tmp_path: Path) -> Callable[..., dict[str, bytes]]:
    """Return every file below tmp_path/NAMES, hidden ones too, with its bytes."""

    def read(*names: str) -> dict[str, bytes]:
        folders: Sequence[Path] = [tmp_path / name for name in names or ["."]]
        files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in files}

    return read


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever asks the network, unpacks or starts a program fails the test."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"reading a dataset should not do this: {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setattr(zipfile, "ZipFile", refuse)

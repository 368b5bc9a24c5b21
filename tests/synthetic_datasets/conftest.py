"""What several test files here need: a small config, and the command in this process."""

import copy
import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from synthetic_datasets.config import SyntheticConfig
from texturelib.config import load_config

# 0.1 s at 8 kHz: enough bubbles to tell clips apart, and a millisecond to render.
SMALL: dict[str, Any] = {
    "output": "results",
    "sample_rate": 8000,
    "seconds": 0.1,
    "engine": {
        "type": "liquid",
        "controls": {
            "avgRate": [0.5, 0.75],
            "minRadius": [0.1, 0.5],
            "maxRadius": [0.5, 0.8],
            "expRadius": [0.2, 0.8],
        },
    },
    "distribution": {"type": "random_uniform", "n_clips": 12},
}


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[..., Path]:
    """Write tmp_path/config.json: the small config with `changes` to its keys; a change to None
    drops the key."""

    def write(**changes: Any) -> Path:
        content = copy.deepcopy(SMALL) | changes
        path = tmp_path / "config.json"
        path.write_text(
            json.dumps({key: value for key, value in content.items() if value is not None})
        )
        return path

    return write


@pytest.fixture
def small(write_config: Callable[..., Path]) -> Callable[..., SyntheticConfig]:
    """Return the small config with `changes` to its keys, loaded."""

    def load(**changes: Any) -> SyntheticConfig:
        return load_config(write_config(**changes), SyntheticConfig)

    return load


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run `synthetic-datasets` with some arguments. -> exit status, stdout, stderr."""
    from synthetic_datasets.cli import main

    sigterm = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["synthetic-datasets", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        return int(exit_.value.code or 0), *capsys.readouterr()

    yield run
    signal.signal(signal.SIGTERM, sigterm)


@pytest.fixture
def files() -> Callable[[Path], dict[str, bytes]]:
    """Return the bytes of every file under a folder, by relative path."""

    def read(folder: Path) -> dict[str, bytes]:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    return read

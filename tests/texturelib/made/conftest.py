"""An output that a finished run left, and looks at it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from texturelib.config import load_config
from texturelib.files import write_text
from texturelib.outputs import Output, check_output

Look = Callable[..., Output]


@pytest.fixture
def look(write_config: Callable[..., Path], example: type[Any], tmp_path: Path) -> Look:
    """Look at tmp_path/results for the example config with `changes`."""

    def at(changes: dict[str, Any] | None = None, **options: Any) -> Output:
        return check_output(
            load_config(write_config(**changes or {}), example), "texture make", **options
        )

    return at


@pytest.fixture
def finished(look: Look) -> Path:
    """Return tmp_path/results as a finished run left it."""
    output = look()
    output.begin()
    for name in ("audio/1.wav", "audio/2.wav", "metadata.csv"):
        write_text(output.folder / name, "made")
    output.finish()
    return output.folder


@pytest.fixture
def files() -> Callable[[Path], set[str]]:
    """Return a function from a folder to the names of all files and links under it."""
    return _files


def _files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if not path.is_dir() or path.is_symlink()
    }

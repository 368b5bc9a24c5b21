"""What several test files here need."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from texturelib.config import Config, ConfigPath, StageConfig


class Volume(Config):
    low: Annotated[float, Field(ge=0, le=1)] = 0.0
    high: float = 1.0


class Example(StageConfig):
    """A config with one of each kind of key."""

    seed: int = 0
    n_clips: Annotated[int, Field(gt=0)]
    name: str = "water"
    window: Literal["hann", "blackman"] = "hann"
    volume: Volume = Volume()
    ratios: dict[str, int] = Field(default_factory=dict)
    level: float | list[float] | None = None
    recordings: ConfigPath | None = None
    extra_folders: list[ConfigPath] = Field(default_factory=list)


@pytest.fixture(scope="session")
def example() -> type[Example]:
    return Example


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[..., Path]:
    """Write tmp_path/project/config.json: a good config with `changes`; a change to None drops the
    key."""

    def write(**changes: Any) -> Path:
        content = {"output": "../results", "n_clips": 3} | changes
        path = tmp_path / "project" / "config.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            json.dumps({key: value for key, value in content.items() if value is not None})
        )
        return path

    return write

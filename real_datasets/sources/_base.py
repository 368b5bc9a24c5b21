"""What a source of recordings offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from texturelib.registry import Registry

sources = Registry("real_datasets.sources")


@dataclass(frozen=True)
class Recording:
    """One sound file before it is cut. name: how people know it, unique in its source (for a file, its relative path)."""

    name: str
    path: Path


class Source(Protocol):
    """A pydantic model whose fields are its settings."""

    @property
    def inputs(self) -> Mapping[str, Path]:
        """What is read from disk, so that a change in it is noticed."""
        ...

    def recordings(self) -> Sequence[Recording]:
        """-> in an order that does not depend on the file system. Errors: TextureError when there are none."""
        ...

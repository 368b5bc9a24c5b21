"""Paths as they are shown to a person, and where they lead."""

import os
from pathlib import Path


def real_path(path: Path) -> Path:
    """Return the path with links followed as far as they lead anywhere: Path.resolve() fails
    where a link leads to itself."""
    return Path(os.path.realpath(path))


def shown(path: Path) -> str:
    """Return the path as a person would type it: relative to the current folder where it lies
    beneath or beside it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("../..") else relative

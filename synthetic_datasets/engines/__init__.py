"""Sound engines, one module each: controls in, samples out."""

from synthetic_datasets.engines._base import (
    EmbeddedEngine,
    Engine,
    Render,
    Setting,
    check_controls,
    engines,
)

__all__ = ["EmbeddedEngine", "Engine", "Render", "Setting", "check_controls", "engines"]

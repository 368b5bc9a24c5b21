"""Sound engines, one module each: controls in, samples out."""

from synthetic_datasets.engines._base import Engine, Setting, check_controls, engines

__all__ = ["Engine", "Setting", "check_controls", "engines"]

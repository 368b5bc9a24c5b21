"""Grains: pieces of the clips themselves, joined where they fit."""

from conditioned_synthesis.synthesisers.grains.settings import Grains

__all__ = ["Grains"]

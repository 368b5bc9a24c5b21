"""Representations of sounds, each with its inverse: what adversarial synthesisers make and hear."""

from conditioned_synthesis.representations._base import Representation, representations

__all__ = ["Representation", "representations"]

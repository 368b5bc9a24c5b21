"""Gan: chunks of a representation of sounds, made by a generator that learns from critics."""

from conditioned_synthesis.synthesisers.gan.settings import Gan

__all__ = ["Gan"]

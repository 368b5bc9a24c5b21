"""MTCRNN's audio network."""

from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn

__all__ = ["Mtcrnn"]

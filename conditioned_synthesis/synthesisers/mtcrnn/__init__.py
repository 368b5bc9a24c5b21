"""MTCRNN's audio network, a recurrent synthesiser."""

from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn

__all__ = ["Mtcrnn"]

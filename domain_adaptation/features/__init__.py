"""Features that the networks read from a clip, one module per kind."""

from domain_adaptation.features._base import Features, features

__all__ = ["Features", "features"]

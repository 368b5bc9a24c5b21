"""What the networks see of a clip, one module per kind of features."""

from domain_adaptation.features._base import Features, features

__all__ = ["Features", "features"]

"""Methods that adapt the encoder to real clips without labels, one module each."""

from domain_adaptation.adaptation.methods._base import Method, methods

__all__ = ["Method", "methods"]

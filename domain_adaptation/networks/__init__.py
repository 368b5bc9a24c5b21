"""Networks that read controls from features, one module per kind."""

from domain_adaptation.networks._base import Network, networks

__all__ = ["Network", "networks"]

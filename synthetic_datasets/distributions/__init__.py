"""Distributions of the control values of a synthetic set, one module each."""

from synthetic_datasets.distributions._base import DECIMALS, Distribution, Variable, distributions

__all__ = ["DECIMALS", "Distribution", "Variable", "distributions"]

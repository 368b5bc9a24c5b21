"""How the control values of a synthetic set are spread over their ranges: one module per distribution."""

from synthetic_datasets.distributions._base import DECIMALS, Distribution, Variable, distributions

__all__ = ["DECIMALS", "Distribution", "Variable", "distributions"]

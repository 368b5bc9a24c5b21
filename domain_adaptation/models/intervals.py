"""Intervals around labels that hold the truth nine times out of ten."""

import math

import numpy as np
import torch

COVERAGE = 0.9


def laplace_loss(labels: torch.Tensor, scale: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the mean negative log-likelihood of the truth under Laplace distributions around the
    labels, less a constant.

    labels, scale, truth: [batch, controls]; scale is that of the distributions, and all that the
    loss teaches.
    """
    return ((labels.detach() - truth).abs() / scale + scale.log()).mean()


def conformal_factors(
    labels: np.ndarray, scale: np.ndarray, truth: np.ndarray
) -> np.ndarray | None:
    """Return, per control, the factor from a Laplace scale to half the width of a 90 % interval.

    All arguments [clips, controls], of clips that were not trained on -> [controls]; None where
    there are too few clips to say (under 9).

    Split conformal prediction with a scaled residual: on clips like these, |truth - label| is at
    most the scale times this factor with a probability of at least 0.9, whatever the network is
    like (J. Lei et al., "Distribution-free predictive inference for regression", JASA 113(523),
    2018, sections 2.2 and 5.2).
    """
    residuals = np.sort(np.abs(truth - labels) / scale, axis=0)
    rank = math.ceil((len(residuals) + 1) * COVERAGE)
    return residuals[rank - 1] if rank <= len(residuals) else None


def coverage(labels: np.ndarray, half_widths: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return, per control, the share of truths that lie in their label's interval.

    All arguments [clips, controls] -> [controls].
    """
    return (np.abs(truth - labels) <= half_widths).mean(axis=0)

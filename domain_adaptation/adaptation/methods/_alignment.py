"""Distances between the encodings of synthetic and real clips."""

import torch

from domain_adaptation.adaptation.methods._joint import Joint
from domain_adaptation.adaptation.task import Problem
from domain_adaptation.models.extractor import Reading


class Coral(Joint):
    """The objective of Deep CORAL: the supervised loss plus the distance of the covariances."""

    def __init__(self, problem: Problem, weight: float) -> None:
        super().__init__(problem)
        self._weight = weight

    def distance(self, synthetic: Reading, real: Reading) -> torch.Tensor:
        return self._weight * covariance_distance(synthetic.encoded, real.encoded)


class InverseGram(Joint):
    """The objective of DARE-GRAM: the supervised loss plus the distances of the Gram matrices."""

    def __init__(
        self, problem: Problem, angle_weight: float, scale_weight: float, kept_energy: float
    ) -> None:
        super().__init__(problem)
        self._angle_weight = angle_weight
        self._scale_weight = scale_weight
        self._kept_energy = kept_energy

    def distance(self, synthetic: Reading, real: Reading) -> torch.Tensor:
        angle, scale = inverse_gram_distances(synthetic.encoded, real.encoded, self._kept_energy)
        return self._angle_weight * angle + self._scale_weight * scale


def covariance_distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return how far the covariances of two sets of encodings lie apart.

    a, b: [clips, n_features] -> a scalar, the squared Frobenius distance of their covariances over
    4 n_features^2 (eq. 1 of Sun and Saenko).
    """
    return (_covariance(a) - _covariance(b)).square().sum() / (4 * a.shape[1] ** 2)


def inverse_gram_distances(
    a: torch.Tensor, b: torch.Tensor, kept_energy: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return how far the Gram matrices of two sets of encodings differ, in angle and in scale.

    a, b: [clips, n_features] -> two scalars: how far the columns of the pseudo-inverses of their
    Gram matrices point apart, and how far apart their leading singular values lie (section 3.2 of
    Nejjar et al.).
    """
    with_ones = [torch.cat([torch.ones_like(x[:, :1]), x], dim=1) for x in (a, b)]
    grams = [x.T @ x for x in with_ones]
    values = [torch.linalg.svdvals(gram) for gram in grams]
    rank = max(_rank(value.detach(), kept_energy) for value in values)
    # The cut lies between two values, so that rounding does not decide on either.
    least = [
        float(((value[rank - 1] * value[rank]).sqrt() / value[0]).detach()) for value in values
    ]
    inverses = [
        torch.linalg.pinv(gram, rtol=smallest) for gram, smallest in zip(grams, least, strict=True)
    ]
    angle = (1 - torch.cosine_similarity(*inverses, dim=0)).mean()
    scale = torch.linalg.vector_norm(values[0][:rank] - values[1][:rank]) / rank
    return angle, scale


def _covariance(x: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(dim=0)
    return centred.T @ centred / max(1, len(x) - 1)


def _rank(values: torch.Tensor, kept_energy: float) -> int:
    """Return how many of the singular values make up the share `kept_energy` of their sum.

    At least two, since the mean alone may reach that share and then nothing else would be compared;
    never all of them.
    """
    share = values.cumsum(0) / values.sum()
    return min(max(2, int((share <= kept_energy).sum())), len(values) - 1)

"""The objective of methods that go on learning from synthetic clips while they align real ones."""

import torch
from torch import nn

from domain_adaptation.adaptation.task import Problem, Stateless
from domain_adaptation.models.extractor import Reading


class Joint(Stateless):
    """The supervised loss of synthetic clips plus a distance between them and the real clips.

    A batch has as many synthetic clips as real ones. Both go through the network together, so that
    batch normalisation sees both kinds. A subclass defines the distance.
    """

    def __init__(self, problem: Problem) -> None:
        self._labelled = problem.labelled
        self._features = problem.features
        self._supervised = problem.supervised

    def __call__(self, extractor: nn.Module, real: torch.Tensor) -> torch.Tensor:
        rows = torch.randint(len(self._labelled), (len(real),)).numpy()
        clips, truth = (tensor.to(real.device) for tensor in self._labelled.batch(rows))
        with torch.no_grad():
            inputs = torch.cat(
                [self._supervised.inputs(clips), self._features.compute(real.float())]
            )
        reading: Reading = extractor.read(inputs)  # type: ignore[operator]
        synthetic, real_reading = _halves(reading)
        return self._supervised.of(synthetic, truth) + self.distance(synthetic, real_reading)

    def distance(self, synthetic: Reading, real: Reading) -> torch.Tensor:
        """Return how far apart the synthetic and the real clips of a batch are, a scalar."""
        raise NotImplementedError


def _halves(reading: Reading) -> tuple[Reading, Reading]:
    halves = [tensor.chunk(2) for tensor in reading]
    return Reading(*(half[0] for half in halves)), Reading(*(half[1] for half in halves))

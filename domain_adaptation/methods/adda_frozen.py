"""The thesis's adaptation: against a classifier that was trained once and then frozen."""

from typing import TYPE_CHECKING, Literal

from pydantic import PositiveInt

from domain_adaptation.methods._base import Objective, methods
from domain_adaptation.training_config import TrainingConfig

if TYPE_CHECKING:
    import torch
    from torch import nn


@methods.register
class AddaFrozen(TrainingConfig):
    """The encoder learns to make the classifier take real clips for synthetic ones.

    After E. Tzeng et al., "Adversarial Discriminative Domain Adaptation", CVPR 2017, where the classifier goes on learning.
    """

    type: Literal["adda_frozen"] = "adda_frozen"
    epochs: PositiveInt = 50

    @property
    def keeps_best(self) -> bool:
        return True

    def objective(self, classifier: "nn.Module", synthetic: "torch.Tensor") -> Objective:
        from domain_adaptation.adversaries import Frozen

        return Frozen(classifier)

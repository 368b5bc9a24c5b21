"""The thesis's adaptation: against a classifier that was trained once and then frozen."""

from typing import TYPE_CHECKING, Literal

from pydantic import PositiveFloat, PositiveInt

from domain_adaptation.methods._base import Objective, methods
from texturelib.config import Config

if TYPE_CHECKING:
    import torch
    from torch import nn


@methods.register
class AddaFrozen(Config):
    """The encoder learns to make the classifier take real clips for synthetic ones.

    After E. Tzeng et al., "Adversarial Discriminative Domain Adaptation", CVPR 2017, where the classifier goes on learning.
    """

    type: Literal["adda_frozen"] = "adda_frozen"
    epochs: PositiveInt = 50
    batch_size: PositiveInt = 128
    learning_rate: PositiveFloat = 0.0005

    schedule: Literal["constant", "cosine"] = "constant"

    @property
    def keeps_best(self) -> bool:
        return True

    def objective(self, classifier: "nn.Module", synthetic: "torch.Tensor") -> Objective:
        from domain_adaptation.adversaries import Frozen

        return Frozen(classifier)

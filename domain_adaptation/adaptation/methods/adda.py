"""Adversarial discriminative adaptation, as first published: the discriminator goes on learning."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveFloat, PositiveInt

from domain_adaptation.adaptation.methods._base import methods
from domain_adaptation.training.config import TrainingConfig

if TYPE_CHECKING:
    from domain_adaptation.adaptation.task import Problem
    from texturelib.learning.loop import State


@methods.register
class Adda(TrainingConfig):
    """The encoder of real clips and a discriminator learn in turns, until the discriminator cannot
    tell real clips from synthetic ones.

    E. Tzeng et al., "Adversarial Discriminative Domain Adaptation", CVPR 2017. A frozen classifier
    can be fooled by a step in any direction; one that goes on learning leaves only the way to the
    synthetic clips. The discriminator is a new network: the classifier of `train-classifier` is not
    used. Neither side's loss falls as things get better, so the last epoch is kept.
    """

    needs_classifier: ClassVar[bool] = False
    reads_both: ClassVar[bool] = False

    type: Literal["adda"] = "adda"
    epochs: PositiveInt = 60
    """Number of epochs."""
    learning_rate: PositiveFloat = 0.0001
    """Learning rate of the encoder. Slow, so that it moves the clips without shuffling what they
    mean to the head."""
    discriminator_learning_rate: PositiveFloat = 0.0002
    """Learning rate of the discriminator."""
    hidden_size: PositiveInt = 64
    """Units in each of the discriminator's two hidden layers."""

    def adapt(self, problem: "Problem") -> "State":
        import torch

        from domain_adaptation.adaptation.methods._adversaries import Learning

        encoded = problem.encoded_synthetic()
        torch.manual_seed(problem.seed)
        objective = Learning(
            encoded, problem.features, self.hidden_size, self.discriminator_learning_rate
        )
        return problem.train(problem.model.extractor.encoder, objective, self, keeps_best=False)

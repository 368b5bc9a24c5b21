"""The thesis's adaptation, against a classifier that was trained once and then frozen."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveInt

from domain_adaptation.adaptation.methods._base import methods
from domain_adaptation.training.config import TrainingConfig

if TYPE_CHECKING:
    from domain_adaptation.adaptation.task import Problem
    from texturelib.learning.loop import State


@methods.register
class AddaFrozen(TrainingConfig):
    """The encoder learns to make the classifier take real clips for synthetic ones.

    After E. Tzeng et al., "Adversarial Discriminative Domain Adaptation", CVPR 2017, where the
    classifier goes on learning.
    """

    needs_classifier: ClassVar[bool] = True
    reads_both: ClassVar[bool] = False

    type: Literal["adda_frozen"] = "adda_frozen"
    epochs: PositiveInt = 50
    """Number of epochs."""

    def adapt(self, problem: "Problem") -> "State":
        from domain_adaptation.adaptation.methods._adversaries import Frozen

        assert problem.classifier is not None
        objective = Frozen(problem.classifier.to(problem.fabric.device), problem.features)
        return problem.train(problem.model.extractor.encoder, objective, self, keeps_best=True)

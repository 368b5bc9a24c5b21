"""Deep CORAL: encodings of real and synthetic clips with the same second moments."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveFloat, PositiveInt

from domain_adaptation.adaptation.methods._base import methods
from domain_adaptation.training.config import TrainingConfig

if TYPE_CHECKING:
    from domain_adaptation.adaptation.task import Problem
    from texturelib.learning.loop import State


@methods.register
class DeepCoral(TrainingConfig):
    """The whole extractor goes on learning from synthetic clips, while the covariance of their
    encodings and that of the real clips' encodings are aligned.

    B. Sun and K. Saenko, "Deep CORAL: correlation alignment for deep domain adaptation", ECCV
    workshops, 2016.
    """

    needs_classifier: ClassVar[bool] = False
    reads_both: ClassVar[bool] = True

    type: Literal["deep_coral"] = "deep_coral"
    epochs: PositiveInt = 20
    """Number of epochs."""
    weight: PositiveFloat = 1.0
    """Weight of the covariances' distance in the loss; the supervised loss has weight 1."""

    def adapt(self, problem: "Problem") -> "State":
        from domain_adaptation.adaptation.methods._alignment import Coral

        return problem.train(
            problem.model.extractor,
            Coral(problem, self.weight),
            self,
            keeps_best=False,
            methods=("read",),
        )

"""DARE-GRAM: alignment of encodings, made for regression."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import NonNegativeFloat, PositiveInt

from domain_adaptation.adaptation.methods._base import methods
from domain_adaptation.training.config import TrainingConfig
from texturelib.config import Share

if TYPE_CHECKING:
    from domain_adaptation.adaptation.task import Problem
    from texturelib.learning.loop import State


@methods.register
class DareGram(TrainingConfig):
    """The whole extractor goes on learning from synthetic clips, while the inverse Gram matrices of
    real and synthetic encodings are aligned in angle and in scale. The least-squares solution of a
    regression rests on these matrices.

    I. Nejjar, Q. Wang and O. Fink, "DARE-GRAM: unsupervised domain adaptation regression by
    aligning inverse Gram matrices", CVPR 2023.
    """

    needs_classifier: ClassVar[bool] = False
    reads_both: ClassVar[bool] = True

    type: Literal["dare_gram"] = "dare_gram"
    epochs: PositiveInt = 20
    """Number of epochs."""
    angle_weight: NonNegativeFloat = 0.05
    """Weight of the angle between the inverse Gram matrices in the loss; the supervised loss has
    weight 1."""
    scale_weight: NonNegativeFloat = 0.001
    """Weight of the difference of the Gram matrices' leading singular values in the loss."""
    kept_energy: Share = 0.95
    """Share of the Gram matrices' sum of singular values that is kept; the smaller values take no
    part in the inverse."""

    def adapt(self, problem: "Problem") -> "State":
        from domain_adaptation.adaptation.methods._alignment import InverseGram

        objective = InverseGram(problem, self.angle_weight, self.scale_weight, self.kept_energy)
        return problem.train(
            problem.model.extractor, objective, self, keeps_best=False, methods=("read",)
        )

"""Adaptation by what is known of real clips without labels: how their labels move when they are
played slower."""

import copy
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from domain_adaptation.adaptation.methods._base import methods
from domain_adaptation.training.config import TrainingConfig
from texturelib.config import Share
from texturelib.learning.schedule import Schedule

if TYPE_CHECKING:
    from domain_adaptation.adaptation.task import Problem
    from texturelib.learning.loop import State


@methods.register
class ScalingLaw(TrainingConfig):
    """The whole extractor goes on learning from synthetic clips, while the labels of each real
    clip, played at two speeds, must lie as far apart as the engine's laws say.

    Real clips are equalised, band-limited and mixed by chance before they are slowed: the law holds
    for these too, and so a few recordings speak for many. It also holds for textures that nobody
    has recorded: what is learnt of ever new ones cannot be learnt by heart.
    """

    needs_classifier: ClassVar[bool] = False
    reads_both: ClassVar[bool] = True

    type: Literal["scaling_law"] = "scaling_law"
    epochs: PositiveInt = 8
    steps_per_epoch: PositiveInt = 150
    batch_size: Annotated[int, Field(ge=2)] = 32
    """Real clips in a step; each is heard at two speeds."""
    synthetic_batch_size: Annotated[int, Field(ge=2)] = 64
    learning_rate: PositiveFloat = 0.001
    schedule: Schedule = "one_cycle"
    weight: PositiveFloat = 1.0
    """Of the law for each clip, beside the supervised loss."""
    mean_weight: NonNegativeFloat = 0.5
    """Of the law for the mean over the clips of a step."""
    chance_of_pink: Share = 0.5
    """How many of the real clips are equalised until no octave is louder than another, so that only
    their grain tells of their size."""
    textures: Share = 0.6
    """How many of the clips that the law is learnt from are noise and grains of a spectrum drawn by
    chance instead of real: a few recordings can be told apart, and their law be learnt by heart;
    these cannot."""
    slow_down: tuple[PositiveFloat, PositiveFloat] = (0.65, 1.4)
    """The range that speeds are drawn from. Half of the features' rate, divided by the second, must
    lie above all that the features hear: else the end of a slowed recording's spectrum would tell
    of its speed."""
    how_far: Annotated[float, Field(gt=0, le=2)] = 1.0
    """How far to go from the weights of before towards those that were learnt. Short of them more
    stays of what was known (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022),
    and labels of recordings that were not learnt from keep to the laws less well."""

    @model_validator(mode="after")
    def _in_order(self) -> "ScalingLaw":
        low, high = self.slow_down
        if low >= high:
            raise ValueError(f"slow_down: [{low:g}, {high:g}] should be a range [low, high]")
        return self

    def adapt(self, problem: "Problem") -> "State":
        from domain_adaptation.adaptation.methods._line import go
        from domain_adaptation.adaptation.methods._slow_down import SlowDown

        extractor = problem.model.extractor
        before = copy.deepcopy(extractor.state_dict())
        n_clips = self.steps_per_epoch * self.batch_size
        loss = SlowDown(
            problem,
            slow_down=self.slow_down,
            synthetic_batch_size=self.synthetic_batch_size,
            weight=self.weight,
            mean_weight=self.mean_weight,
            chance_of_pink=self.chance_of_pink,
            textures=self.textures,
        )
        state = problem.train(
            extractor, loss, self, keeps_best=False, n_clips=n_clips, methods=("read",)
        )
        if self.how_far != 1:
            go(extractor, before, self.how_far)
        return state

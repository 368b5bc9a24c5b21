"""Adaptation by scaling laws: how the labels of real clips must move when the clips are played
slower."""

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
    """The whole extractor goes on learning from synthetic clips, while each real clip is played at
    two speeds and its two labels must lie as far apart as the engine's laws say.

    Real clips are equalised, band-limited and mixed at random before they are slowed: the law holds
    for these too, so a few recordings stand for many. It also holds for random textures that nobody
    has recorded: these are new in every batch, so they cannot be learnt by heart.
    """

    needs_classifier: ClassVar[bool] = False
    reads_both: ClassVar[bool] = True

    type: Literal["scaling_law"] = "scaling_law"
    epochs: PositiveInt = 8
    """Number of epochs."""
    steps_per_epoch: PositiveInt = 150
    """Number of optimizer steps in an epoch."""
    batch_size: Annotated[int, Field(ge=2)] = 32
    """Number of real clips in a step; each is played at two speeds."""
    synthetic_batch_size: Annotated[int, Field(ge=2)] = 64
    """Number of synthetic clips in a step."""
    learning_rate: PositiveFloat = 0.001
    """Learning rate of the optimizer."""
    schedule: Schedule = "one_cycle"
    """How the learning rate runs over the training."""
    weight: PositiveFloat = 1.0
    """Weight of the law for each clip; the supervised loss has weight 1."""
    mean_weight: NonNegativeFloat = 0.5
    """Weight of the law for the mean over the clips of a step."""
    chance_of_pink: Share = 0.5
    """Share of the real clips that are equalised until no octave is louder than another, so that
    only their grain tells of their size."""
    textures: Share = 0.6
    """Share of the clips for the law that are random noise and grains instead of recordings: a few
    recordings can be told apart and their law learnt by heart; random textures cannot."""
    slow_down: tuple[PositiveFloat, PositiveFloat] = (0.65, 1.4)
    """Range of the random speeds. Half of the features' sample rate, divided by the second number,
    must lie above the highest frequency of the features: else the end of a slowed recording's
    spectrum would tell of its speed."""
    how_far: Annotated[float, Field(gt=0, le=2)] = 1.0
    """How far to go from the weights before adaptation towards those that were learnt. Below 1,
    more of what was known stays (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR
    2022), but labels of recordings that were not learnt from keep to the laws less well."""

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

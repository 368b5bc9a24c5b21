"""The config of stage 3, one file for all its commands."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from domain_adaptation.adaptation.methods import Method, methods
from domain_adaptation.data.splits import SplitConfig
from domain_adaptation.features import Features, features
from domain_adaptation.networks import Network, networks
from domain_adaptation.scale.config import ScaleConfig
from domain_adaptation.training.config import TrainingConfig
from texturelib.config import Config, ConfigPath, Seed, Share, StageConfig
from texturelib.errors import UsageError
from texturelib.learning.compute import ComputeConfig


class ExtractorConfig(TrainingConfig):
    """Settings of `domain-adaptation train-extractor`."""

    epochs: PositiveInt = 250
    """Number of epochs."""
    loss: Literal["l1", "mse"] = "l1"
    """Loss of the labels: mean absolute error ("l1") or mean squared error ("mse")."""
    slow_down: tuple[PositiveFloat, PositiveFloat] | None = None
    """Range of the factor by which half of the clips of each batch are played slower, with the
    controls that they have then by the engine's laws; null leaves all clips as they are."""
    mix: Share = 0.0
    """Share of each batch that is mixed with another clip that differs only in controls that add
    up, as rates do. Useful where the controls of a set lie on a grid."""

    @field_validator("slow_down")
    @classmethod
    def _in_order(cls, slow_down: tuple[float, float] | None) -> tuple[float, float] | None:
        if slow_down and slow_down[0] >= slow_down[1]:
            raise ValueError(f"[{slow_down[0]:g}, {slow_down[1]:g}] should be a range [low, high]")
        return slow_down


class ClassifierConfig(TrainingConfig):
    """Settings of `domain-adaptation train-classifier`."""

    epochs: PositiveInt = 50
    """Number of epochs."""
    n_layers: Annotated[int, Field(ge=1, le=64)] = 8
    """Number of fully connected layers; each halves the size, the last ends at one."""
    negative_slope: Annotated[float, Field(ge=0)] = 0.9
    """Slope of the LeakyReLU below 0."""


class EvaluationConfig(Config):
    """What `domain-adaptation evaluate` compares, and on which sets."""

    methods: Annotated[tuple[Annotated[Method, methods], ...], Field(min_length=1)]
    """Methods of adaptation to compare, each with its settings."""
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (1, 2, 3)
    """Seeds of the trainings; each gives another extractor, and other adaptations."""
    unrandomised_methods: tuple[str, ...] = ()
    """Types among `methods` that are also tried on extractors trained without randomisation of the
    synthetic clips."""
    truth: ConfigPath | None = None
    """Table of true controls by recording, from `simulate-recordings`, whose recordings `real` was
    cut from. No training reads it, except that of the oracle."""
    recordings: ConfigPath | None = None
    """Folder of real recordings for the slow-down test; each of `held_out` is kept out of training
    in turn."""
    held_out: tuple[str, ...] | None = None
    """Beginnings of the names of the recordings to hold out; null holds out every recording in
    turn."""
    held_out_together: bool = False
    """Whether all of `held_out` are held out of the same training, rather than each in turn: a
    fraction of the time, and a harder test, as fewer recordings are left to learn from."""
    held_out_methods: tuple[str, ...] | None = None
    """Types among `methods` that go through the slow-down test; null takes all."""

    @model_validator(mode="after")
    def _something_to_measure(self) -> "EvaluationConfig":
        types = [method.type for method in self.methods]
        if len(set(types)) < len(types):
            raise ValueError(f"methods: {', '.join(types)}: each type should stand there once")
        for key in ("held_out_methods", "unrandomised_methods"):
            for name in getattr(self, key) or ():
                if name not in types:
                    raise ValueError(f'{key}: "{name}" is none of methods ({", ".join(types)})')
        return self


class AdaptationConfig(StageConfig):
    """Config of `domain-adaptation train-extractor`, `train-scale`, `train-classifier`, `adapt`,
    `label` and `evaluate`.

    Each writes a folder of its own in `output`: extractor, scale, classifier, adapted, labels,
    evaluation; and clips, decoded for all.
    """

    synthetic: ConfigPath
    """Dataset folder with controls, from `synthetic-datasets generate`."""
    real: ConfigPath
    """Dataset folder of recordings, from `real-datasets build`."""
    seed: Seed = 42
    """Seed of the split, the weights and all random numbers of the trainings."""
    split: SplitConfig = SplitConfig()
    features: Annotated[Features, features]
    """Kind of features that the networks read, with its settings."""
    network: Annotated[Network, networks]
    """Kind of network of the extractor, with its settings."""
    extractor: ExtractorConfig = ExtractorConfig()
    classifier: ClassifierConfig = ClassifierConfig()
    adaptation: Annotated[Method, methods]
    """Method of adaptation, with its settings."""
    scale: ScaleConfig | None = None
    """Settings of `domain-adaptation train-scale`, which learns relative scale from recordings of
    anything; null trains none."""
    scale_model: ConfigPath | None = None
    """Folder of a network of relative scale that was trained before, by any config with the same
    features and length of clips; null takes that of `train-scale`, where `scale` is set. With
    neither, labels are not brought to the engine's laws."""
    adapts_from: PositiveInt = 11
    """Number of recordings from which on adaptation is attempted where there is a network of
    relative scale: a few recordings cannot teach a law that holds for others, and their labels are
    brought to the laws without. Without such a network it is always attempted."""
    compute: ComputeConfig = ComputeConfig()
    evaluation: EvaluationConfig | None = None
    """Settings of `domain-adaptation evaluate`; no other command reads them."""

    def wanted_evaluation(self) -> EvaluationConfig:
        """Return the settings of `evaluate`.

        Errors: UsageError when the config has none.
        """
        if self.evaluation is None:
            raise UsageError(
                'evaluation: is missing; add "evaluation": {"methods": [...]} to the config'
            )
        return self.evaluation

    def wanted_scale(self) -> ScaleConfig:
        """Return the settings of `train-scale`.

        Errors: UsageError when the config has none.
        """
        if self.scale is None:
            raise UsageError(
                'scale: is missing; add "scale": {"recordings": "path/to/any/recordings"} to the config'
            )
        return self.scale

    @property
    def scale_folder(self) -> Path | None:
        """The folder of the network of relative scale; None where there is none."""
        return self.scale_model or (self.output / "scale" if self.scale else None)

    @model_validator(mode="after")
    def _batches_can_be_shared(self) -> "AdaptationConfig":
        for name, training in (("extractor", self.extractor), ("classifier", self.classifier)):
            if training.batch_size < 2 * self.compute.processes:
                raise ValueError(
                    f"{name}.batch_size: {training.batch_size} is too small for compute.processes, {self.compute.processes}: "
                    "each needs two clips of every batch"
                )
        return self

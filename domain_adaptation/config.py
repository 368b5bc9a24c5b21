"""The config of stage 3: one file for its four commands."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from domain_adaptation.features import Features, features
from domain_adaptation.methods import Method, methods
from domain_adaptation.training_config import TrainingConfig
from texturelib.config import Config, ConfigPath, StageConfig


class SplitConfig(Config):
    """Shares of a set; together 1."""

    train: Annotated[float, Field(gt=0, lt=1)] = 0.85
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.05
    test: Annotated[float, Field(gt=0, lt=1)] = 0.1

    @model_validator(mode="after")
    def _whole(self) -> "SplitConfig":
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train + validation + test is {total:g}; it should be 1")
        return self


class NetworkConfig(Config):
    """The encoder's blocks and the regression head. Sizes follow from these and the input."""

    n_blocks: PositiveInt = 4
    kernel_size: PositiveInt = 3
    stride: PositiveInt = 1
    pool_size: PositiveInt = 2
    first_channels: PositiveInt | None = None
    """Of the first block; as many as there are controls when null."""
    channel_factor: PositiveInt = 2
    n_head_layers: PositiveInt = 3
    head_factor: PositiveInt = 4
    negative_slope: Annotated[float, Field(ge=0)] = 0.9


class ExtractorConfig(TrainingConfig):
    epochs: PositiveInt = 250
    loss: Literal["l1", "mse"] = "l1"


class ClassifierConfig(TrainingConfig):
    epochs: PositiveInt = 50
    n_layers: PositiveInt = 8


class ComputeConfig(Config):
    """Where and how exactly to compute; Lightning Fabric's words. It changes speed and rounding, nothing else."""

    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"


class AdaptationConfig(StageConfig):
    """`domain-adaptation train-extractor`, `train-classifier`, `adapt` and `label`.

    Each writes a folder of its own in `output`: extractor, classifier, adapted, labels; and features, kept for all.
    """

    synthetic: ConfigPath
    """A dataset folder with controls, from `synthetic-datasets generate`."""
    real: ConfigPath
    """A dataset folder of recordings, from `real-datasets build`."""
    seed: NonNegativeInt = 42
    split: SplitConfig = SplitConfig()
    features: Annotated[Features, features]
    network: NetworkConfig = NetworkConfig()
    extractor: ExtractorConfig = ExtractorConfig()
    classifier: ClassifierConfig = ClassifierConfig()
    adaptation: Annotated[Method, methods]
    compute: ComputeConfig = ComputeConfig()

"""The settings of `domain-adaptation train-scale`."""

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from domain_adaptation.networks import Network, networks
from domain_adaptation.networks.band_cnn import BandCnn
from domain_adaptation.training.config import TrainingConfig
from texturelib.config import ConfigPath, Share
from texturelib.learning.schedule import Schedule


class ScaleConfig(TrainingConfig):
    """Settings of `domain-adaptation train-scale`."""

    recordings: ConfigPath
    """Folder of recordings of anything, the more different the better: some hundreds. Folders in it
    are searched too, so the folder of ESC-50 or of FSD50K will do."""
    seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    """Length of the excerpt that is taken of each recording, in seconds; a shorter recording is
    repeated."""
    most_recordings: PositiveInt = 2000
    """Number of recordings that are taken at most, spread evenly over the folder. Each takes 0.44 MB
    of memory at 44.1 kHz and 5 s."""
    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of the recordings that are not trained on, to see how well the network does on others."""
    network: Annotated[Network, networks] = BandCnn()
    """Kind of network, with its settings."""
    epochs: PositiveInt = 10
    """Number of epochs."""
    steps_per_epoch: PositiveInt = 150
    """Number of optimizer steps in an epoch."""
    batch_size: Annotated[int, Field(ge=2)] = 32
    """Number of recordings in a step; two moments of each are compared."""
    learning_rate: PositiveFloat = 0.003
    """Learning rate of the optimizer."""
    schedule: Schedule = "one_cycle"
    """How the learning rate runs over the training."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """Weight decay, decoupled from the gradient."""
    slow_down: tuple[PositiveFloat, PositiveFloat] = (0.55, 1.9)
    """Range of the random speeds: how many times slower a moment is played. Half of the features'
    sample rate, divided by the second number, must lie above the highest frequency of the
    features."""
    most_layers: Annotated[int, Field(ge=2, le=64)] = 8
    """Number of moments of a recording that are added at most."""
    textures: Share = 0.125
    """Share of each batch that is random noise and grains instead of recordings."""

    @model_validator(mode="after")
    def _in_order(self) -> "ScaleConfig":
        low, high = self.slow_down
        if low >= high:
            raise ValueError(f"slow_down: [{low:g}, {high:g}] should be a range [low, high]")
        return self

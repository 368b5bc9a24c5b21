"""What every training has settings for."""

from typing import Literal

from pydantic import PositiveFloat, PositiveInt

from texturelib.config import Config


class TrainingConfig(Config):
    """One training run, with Adam."""

    epochs: PositiveInt
    batch_size: PositiveInt = 128
    learning_rate: PositiveFloat = 0.0005
    schedule: Literal["constant", "cosine"] = "constant"
    """How the learning rate runs over the epochs: the same all along, or down to nothing along half a cosine."""

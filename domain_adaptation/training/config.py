"""The settings that every training has."""

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from texturelib.config import Config
from texturelib.learning.schedule import Schedule


class TrainingConfig(Config):
    """Settings of one training, with the optimizer Adam."""

    epochs: PositiveInt
    """Number of epochs."""
    batch_size: Annotated[int, Field(ge=2)] = 128
    """Number of clips in a batch."""
    learning_rate: PositiveFloat = 0.0005
    """Learning rate of the optimizer."""
    schedule: Schedule = "constant"
    """How the learning rate runs: constant; down to nothing along half a cosine, epoch by epoch; or
    up over the first tenth of all steps, then down along half a cosine (L. N. Smith and N. Topin,
    "Super-convergence", 2018)."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Weight decay, decoupled from the gradient (AdamW; I. Loshchilov and F. Hutter, 2019)."""
    patience: PositiveInt | None = None
    """Number of epochs without a lower validation loss after which training stops early; null never
    stops early."""

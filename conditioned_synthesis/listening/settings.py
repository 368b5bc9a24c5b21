"""The settings of a listening test."""

import re
from typing import Annotated

from pydantic import Field, field_validator

from texturelib.config import Config, ConfigPath, Seed

OWN = "synthesiser"
"""What the config's own model is called, where no others are named."""
REFERENCE, ANCHOR = "hidden reference", "anchor"


class Listening(Config):
    """Settings of `conditioned-synthesis listening-test`, which makes a page on which people rate
    sounds of models beside held-out clips."""

    models: dict[str, ConfigPath] = Field(default={})
    """Model folders to compare, by name; empty compares what the config itself trained."""
    ratings: Annotated[int, Field(ge=0, le=100)] = 6
    """Number of screens on which all models, a hidden reference and an anchor are rated from 0 to
    100 beside a held-out clip (after MUSHRA, ITU-R BS.1534-3)."""
    abx: Annotated[int, Field(ge=0, le=100)] = 4
    """Number of screens per model that ask whether X is A or B, one a held-out clip, the other a
    sound of the model."""
    pairs: Annotated[int, Field(ge=0, le=100)] = 3
    """Number of screens per model and control that ask which of two sounds has more of it."""
    gap: Annotated[float, Field(gt=0, le=1)] = 0.4
    """Least difference of the control in such a pair, as a share of its trained range."""
    anchor_hz: Annotated[float, Field(ge=100, le=20000)] = 3500.0
    """Cut-off of the low-pass filter that makes the anchor of the reference, in Hz."""
    lufs: Annotated[float, Field(ge=-60, le=-5)] = -23.0
    """Loudness that every sound is brought to (ITU-R BS.1770, without gates), in LUFS; all are softer
    where a sound would clip."""
    seed: Seed = 0
    """Seed of the choice of clips and controls, of the codes and of the order."""

    @field_validator("models")
    @classmethod
    def _has_good_names(cls, models: dict[str, ConfigPath]) -> dict[str, ConfigPath]:
        for name in models:
            if name in (REFERENCE, ANCHOR) or not re.fullmatch(r"\w[\w -]{0,39}", name):
                raise ValueError(
                    f'"{name}" should be a name of 40 letters, digits, spaces, - and _ at most, and not that of what is '
                    "rated anyway"
                )
        return models

"""Settings of `conditioned-synthesis augment`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from texturelib.config import Config, Seed, Share

Factor = Annotated[float, Field(ge=1 / 16, le=16)]
Layers = Annotated[int, Field(ge=1, le=64)]
Decibels = Annotated[float, Field(ge=-60, le=20)]
HeldOutShare = Annotated[float, Field(ge=0, le=0.4)]
Band = Literal["continued", "recorded", "common"]


class HeldOut(Config):
    """Shares of the clips that are not trained on. They share no sample with training clips."""

    validation: HeldOutShare = 0.1
    """Share of the clips for validation during training."""
    test: HeldOutShare = 0.1
    """Share of the clips for the final measurement."""


class Augment(Config):
    """Settings of `conditioned-synthesis augment`, which makes an evenly spread, labelled set of
    clips from recordings: moments of them played slower or faster, and added to one another."""

    n_clips: Annotated[int, Field(ge=1, le=10**7)] = 400
    """Number of clips to make."""
    seconds: Annotated[float, Field(ge=0.05, le=600)] | None = None
    """Length of each clip, in seconds; null takes that of the dataset's clips."""
    sample_rate: Annotated[int, Field(ge=8000, le=192000)] | None = None
    """Sample rate of the clips, in Hz; null takes the dataset's."""
    channels: Annotated[int, Field(ge=1, le=8)] | None = None
    """Number of channels of the clips: 1 mixes them down, null keeps the dataset's."""
    size: tuple[Factor, Factor] = (0.5, 2.0)
    """Range of the slow-down: played 2 times slower, everything in a sound is 2 times as large.
    Equal ratios are equally likely. [1, 1] changes no speed."""
    density: tuple[Layers, Layers] = (1, 8)
    """Range of the number of layers: independent moments of one recording, added. [1, 1] adds
    none."""
    level: tuple[Decibels, Decibels] | None = None
    """Range of the gain, in dB; null changes no level."""
    band: Band = "continued"
    """Frequencies that a slowed recording does not reach: "continued" fills them from the octave
    below, so that the band's end does not tell the speed; "recorded" leaves them empty; "common"
    takes them from all clips alike."""
    held_out: HeldOut = HeldOut()
    """Shares of the clips for validation and test: whole recordings where there are enough, else
    moments of each recording."""
    max_rejected: Share = 0.5
    """Largest share of the recordings that may be unusable before the whole job counts as failed."""
    seed: Seed = 0
    """Seed of the draws; clip i depends on it and on i alone."""

    @model_validator(mode="after")
    def _in_order(self) -> "Augment":
        for key in ("size", "density", "level"):
            low, high = getattr(self, key) or (0, 0)
            if low > high:
                raise ValueError(f"{key}: [{low:g}, {high:g}] should be [low, high]")
        return self

    @property
    def varies(self) -> bool:
        """Whether any of size, density and level does vary."""
        return any(low != high for low, high in (self.size, self.density, self.level or (0.0, 0.0)))

    @model_validator(mode="after")
    def _varies(self) -> "Augment":
        if not self.varies:
            raise ValueError(
                "size, density and level are each a single value; one should be a range"
            )
        return self

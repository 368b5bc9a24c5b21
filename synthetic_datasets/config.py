"""The configs of stage 1."""

from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from synthetic_datasets.distributions import Distribution, distributions
from synthetic_datasets.engines import Engine, engines
from texturelib.config import Config, Share, StageConfig


class Volume(Config):
    """The level of each clip, as a position of the thesis's fader (Max's gain~: 0.6 dB a step, 158 steps, unity at 128)."""

    low: Share
    high: Share
    chance_new: Share = 1.0
    """How likely a clip gets a fresh level rather than that of the clip before."""

    @model_validator(mode="after")
    def _in_order(self) -> "Volume":
        if self.low > self.high:
            raise ValueError(f"low: {self.low:g} should be at most high, {self.high:g}")
        return self


def volume_to_gain(volume: float) -> float:
    """volume: 0..1 of the fader's way -> the factor that Max's gain~ object applies with its default values.

    >>> round(volume_to_gain(128 / 158), 6)
    1.0
    """
    return 10 ** (0.6 * (158 * volume - 128) / 20) if volume > 0 else 0.0


class SyntheticConfig(StageConfig):
    """`synthetic-datasets generate` and `plan`: labelled clips from an engine."""

    seed: NonNegativeInt = 0
    """Of everything: the planned values and, together with a clip's number, that clip's sound."""
    sample_rate: Annotated[int, Field(ge=8000, le=192000)] = 44100
    seconds: Annotated[float, Field(ge=0.01)] = 1.0
    """Of each clip."""
    file_name: str = "clip_{number}.wav"
    """Of each clip; {number} counts from 1."""
    engine: Annotated[Engine, engines]
    distribution: Annotated[Distribution, distributions]
    volume: Volume = Volume(low=0.5, high=0.75)
    max_rejected: Share = 0.05
    """The share of clips that may fail or be silent before the whole job counts as failed."""

    @field_validator("file_name")
    @classmethod
    def _plain_numbered_name(cls, name: str) -> str:
        if "{number}" not in name or "/" in name or not name.endswith(".wav"):
            raise ValueError(f'"{name}" should be a plain name that holds {{number}} and ends in .wav, as "clip_{{number}}.wav"')
        return name

    @model_validator(mode="after")
    def _distribution_fits(self) -> "SyntheticConfig":
        if not self.ranges:
            raise ValueError("engine.controls: every control is held at one value; give at least one a range [low, high]")
        self.distribution.check(list(self.ranges))
        return self

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The controls that vary, and so become labels."""
        return {name: setting for name, setting in self.engine.controls.items() if isinstance(setting, tuple)}

    @property
    def held(self) -> dict[str, float]:
        return {name: setting for name, setting in self.engine.controls.items() if not isinstance(setting, tuple)}


ReverberationSeconds = Annotated[float, Field(ge=0.02)]  # shorter, there is nothing after the first wall


class LocationsConfig(Config):
    """What differs between the places of simulated recordings; each value is drawn once per place, from low to high."""

    reverberation_seconds: tuple[ReverberationSeconds, ReverberationSeconds] = (0.15, 0.9)
    """Until the room's sound has fallen by 60 dB."""
    room_level_db: tuple[float, float] = (-18.0, -3.0)
    """The room's sound against the direct one."""
    tilt_db_per_octave: tuple[float, float] = (-2.5, 2.5)
    """The microphone's slope, around 1 kHz."""
    noise_level_db: tuple[float, float] = (-40.0, -18.0)
    """Background noise against the water."""
    noise_slope_db_per_octave: tuple[float, float] = (-6.0, -1.0)
    """0 is white noise, -3 pink."""

    @model_validator(mode="after")
    def _in_order(self) -> "LocationsConfig":
        for name in type(self).model_fields:
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: [{low:g}, {high:g}] should be a range [low, high]")
        return self


class RecordingsConfig(StageConfig):
    """`synthetic-datasets simulate-recordings`: field recordings whose true controls are known, to test labels against."""

    seed: NonNegativeInt = 0
    sample_rate: Annotated[int, Field(ge=8000, le=192000)] = 44100
    seconds: Annotated[float, Field(ge=0.01)] = 2.0
    """Of each take."""
    n_locations: PositiveInt = 12
    takes_per_location: PositiveInt = 40
    engine: Annotated[Engine, engines]
    """Each take draws its controls uniformly from the ranges. Held-fixed parameters other than the synthetic set's make
    the recordings differ from it, as real water does."""
    locations: LocationsConfig = LocationsConfig()

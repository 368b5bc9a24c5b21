"""The configs of stage 1."""

from typing import Annotated, TypeVar

from pydantic import Field, field_validator, model_validator

from synthetic_datasets.distributions import Distribution, distributions
from synthetic_datasets.engines import Engine, engines
from texturelib.config import Config, Seed, Share, StageConfig

LevelDb = Annotated[float, Field(ge=-300, le=20)]
SlopeDb = Annotated[float, Field(ge=-24, le=24)]

_Ranges = TypeVar("_Ranges", bound=Config)


def _check_order(ranges: _Ranges) -> _Ranges:
    """Return the same ranges. Errors: ValueError when one of these fields is the wrong way
    round."""
    for name in type(ranges).model_fields:
        low, high = getattr(ranges, name)
        if low > high:
            raise ValueError(f"{name}: [{low:g}, {high:g}] should be a range [low, high]")
    return ranges


class Volume(Config):
    """The level of each clip, as a position of the thesis's fader (Max's gain~: 0.6 dB a step, 158
    steps, unity at 128)."""

    low: Share
    """Lowest position of the fader, 0 to 1."""
    high: Share
    """Highest position of the fader, 0 to 1."""
    chance_new: Share = 1.0
    """Probability that a clip gets a new level instead of that of the previous clip."""

    @model_validator(mode="after")
    def _in_order(self) -> "Volume":
        if self.low > self.high:
            raise ValueError(f"low: {self.low:g} should be at most high, {self.high:g}")
        return self


class Noise(Config):
    """Background noise under each clip; both values are drawn uniformly per clip, from low to
    high."""

    level_db: tuple[LevelDb, LevelDb] = (-60.0, -30.0)
    """Root mean square relative to the clip's, in dB."""
    slope_db_per_octave: tuple[SlopeDb, SlopeDb] = (-6.0, 0.0)
    """Slope of the noise's spectrum, in dB per octave: 0 is white noise, -3 pink, -6 brown."""

    @model_validator(mode="after")
    def _in_order(self) -> "Noise":
        return _check_order(self)


class Silence(Config):
    """When a clip is too quiet; it is then rendered again with the same controls and level, but
    other random numbers."""

    below_dbfs: Annotated[float, Field(lt=0)] = -96.0
    """Root mean square at the clip's own level below which it is too quiet, in dBFS; -96 is nothing
    that 16 bits could hold."""
    redraws: Annotated[int, Field(ge=0, le=10000)] = 20
    """Number of times that a silent clip is rendered again before it is left out (rejected.csv)."""


class SyntheticConfig(StageConfig):
    """`synthetic-datasets generate` and `plan`: labelled clips from an engine."""

    seed: Seed = 0
    """Seed of all random numbers: those of the plan and, together with a clip's number, those of
    its sound."""
    sample_rate: Annotated[int, Field(ge=8000, le=192000)] = 44100
    """Sample rate of the sounds, in Hz."""
    seconds: Annotated[float, Field(ge=0.01, le=86400)] = 1.0
    """Length of each clip, in seconds."""
    file_name: str = "clip_{number}.wav"
    """Name of each clip's file; {number} counts from 1."""
    engine: Annotated[Engine, engines]
    """The engine that makes the sound, and the ranges of its controls."""
    distribution: Annotated[Distribution, distributions]
    """The distribution of the control values over the clips, and the number of clips."""
    volume: Volume = Volume(low=0.5, high=0.75)
    """The level of each clip."""
    noise: Noise | None = None
    """Background noise under each clip; null adds none."""
    silence: Silence | None = Silence()
    """Treatment of clips that are too quiet; null keeps every clip."""
    max_rejected: Share = 0.05
    """The share of clips that may fail or be silent before the whole job counts as failed."""

    @field_validator("file_name")
    @classmethod
    def _plain_numbered_name(cls, name: str) -> str:
        if (
            "{number}" not in name
            or "/" in name
            or not name.endswith(".wav")
            or not name.isprintable()
        ):
            raise ValueError(
                f'"{name}" should be a plain name that holds {{number}} and ends in .wav, as "clip_{{number}}.wav"'
            )
        return name

    @model_validator(mode="after")
    def _distribution_fits(self) -> "SyntheticConfig":
        if not self.ranges:
            raise ValueError(
                "engine.controls: every control is held at one value; give at least one a range [low, high]"
            )
        self.distribution.check(list(self.ranges))
        return self

    @model_validator(mode="after")
    def _engine_makes_such_clips(self) -> "SyntheticConfig":
        self.engine.check_clip(self.seconds, self.sample_rate)
        return self

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The controls that vary, and so become labels."""
        return {
            name: setting
            for name, setting in self.engine.controls.items()
            if isinstance(setting, tuple)
        }

    @property
    def held(self) -> dict[str, float]:
        return {
            name: setting
            for name, setting in self.engine.controls.items()
            if not isinstance(setting, tuple)
        }


# Shorter, there is nothing after the first wall.
ReverberationSeconds = Annotated[float, Field(ge=0.02)]


class LocationsConfig(Config):
    """Ranges of what differs between the locations of simulated recordings; each value is drawn
    once per location."""

    reverberation_seconds: tuple[ReverberationSeconds, ReverberationSeconds] = (0.15, 0.9)
    """Time in which the room's sound falls by 60 dB."""
    room_level_db: tuple[LevelDb, LevelDb] = (-18.0, -3.0)
    """Level of the room's sound relative to the direct sound, in dB."""
    tilt_db_per_octave: tuple[SlopeDb, SlopeDb] = (-2.5, 2.5)
    """Slope of the microphone's response around 1 kHz, in dB per octave."""
    noise_level_db: tuple[LevelDb, LevelDb] = (-40.0, -18.0)
    """Level of the background noise relative to the sound, in dB."""
    noise_slope_db_per_octave: tuple[SlopeDb, SlopeDb] = (-6.0, -1.0)
    """Slope of the noise's spectrum, in dB per octave: 0 is white noise, -3 pink."""

    @model_validator(mode="after")
    def _in_order(self) -> "LocationsConfig":
        return _check_order(self)


class RecordingsConfig(StageConfig):
    """`synthetic-datasets simulate-recordings`: field recordings whose true controls are known, to
    test labels against."""

    seed: Seed = 0
    """Seed of all random numbers."""
    sample_rate: Annotated[int, Field(ge=8000, le=192000)] = 44100
    """Sample rate of the sounds, in Hz."""
    seconds: Annotated[float, Field(ge=0.01, le=86400)] = 2.0
    """Length of each take, in seconds."""
    n_locations: Annotated[int, Field(ge=1, le=10**5)] = 12
    """Number of simulated locations, each with a room, a microphone and a background of its own."""
    takes_per_location: Annotated[int, Field(ge=1, le=10**5)] = 40
    """Number of takes at each location."""
    engine: Annotated[Engine, engines]
    """The engine whose sound is recorded. Each take draws its controls uniformly from the ranges.
    Fixed parameters that differ from the synthetic set's make the recordings differ from it, as
    real sounds do; those in `vary` differ from location to location."""
    locations: LocationsConfig = LocationsConfig()
    """Ranges of what differs between the locations."""

    @model_validator(mode="after")
    def _engine_makes_such_clips(self) -> "RecordingsConfig":
        self.engine.check_clip(self.seconds, self.sample_rate)
        return self

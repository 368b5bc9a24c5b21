"""The config of stage 2."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt, ValidationError, WrapValidator, model_validator

from real_datasets.decode import Resampling
from real_datasets.silence import Silence
from real_datasets.sources import Source, sources
from real_datasets.splits import SplitShares
from real_datasets.tags import TagPolicy
from real_datasets.ways import OutOfPhase
from texturelib.config import Config, Share, StageConfig, paths_in
from texturelib.files import real_path, shown


class Clipping(Config):
    """What counts as recorded too loud: samples at full scale, several on end, in any channel, before anything is changed."""

    level: Annotated[float, Field(gt=0, le=1)] = 0.999
    """How near to full scale."""
    run: Annotated[int, Field(ge=1, le=1000)] = 3
    """How many samples on end."""
    most: NonNegativeInt | None = None
    """Segments with more clipped samples are left out; null only counts them (n_clipped in metadata.csv)."""


def _mix_or_number(setting: Any, validate: Callable[[Any], Any]) -> Any:
    try:
        return validate(setting)
    except ValidationError:
        raise ValueError(f'{json.dumps(setting)} should be "mix" or the number of a channel, from 1') from None


ChannelSetting = Annotated[Literal["mix"] | Annotated[int, Field(strict=True, ge=1)], WrapValidator(_mix_or_number)]


class RealConfig(StageConfig):
    """`real-datasets build` and `plan`: recordings cut to clips of one length."""

    source: Annotated[Source, sources]
    tags: TagPolicy = TagPolicy()
    """Which recordings to take, by their tags."""
    sample_rate: Annotated[int, Field(ge=8000, le=192000)] = 44100
    seconds: Annotated[float, Field(ge=0.01, le=86400)] = 1.0
    """Of each segment; what is left at a recording's end is not used."""
    hop_seconds: Annotated[float, Field(ge=0.01, le=86400)] | None = None
    """From the start of a segment to the next one's; less than `seconds` makes them overlap. null: end to end."""
    channel: ChannelSetting = "mix"
    """The mean of all channels, or one of them, from 1."""
    out_of_phase: OutOfPhase = "channel"
    """What becomes of a recording whose channels cancel one another in their mean: "channel" takes the loudest of them alone,
    "reject" leaves the recording out, "mix" takes the mean all the same."""
    resampling: Resampling = "HQ"
    """Quality, in soxr's words, where a recording has another rate: QQ, LQ, MQ, HQ or VHQ."""
    fade_ms: NonNegativeFloat = 0.0
    """At both ends of a segment."""
    silence: Silence | None = Silence()
    """Which segments are left out for being silent; null leaves out only zeros."""
    clipping: Clipping = Clipping()
    drop_duplicates: bool = True
    """Of segments that are the same to the sample, keep the first."""
    most_per_recording: PositiveInt | None = None
    """Of a recording with more segments, keep so many, spread evenly over it."""
    split: SplitShares | None = None
    """Divide the set anew; null keeps the source's own parts."""
    max_rejected: Share = 0.5
    """The share of recordings that may be unusable before the whole job counts as failed."""

    @model_validator(mode="after")
    def _output_apart_from_recordings(self) -> "RealConfig":
        output = real_path(self.output)
        for _, path in paths_in(self.source):
            read = real_path(path)
            # Inside, segments would be taken for recordings; around, --overwrite would remove the recordings.
            if output.is_relative_to(read) or read.is_relative_to(output):
                raise ValueError(f"output: {shown(self.output)} and the recordings in {shown(path)} should be apart")
        return self

    @model_validator(mode="after")
    def _fades_fit(self) -> "RealConfig":
        if 2 * self.fade_ms > 1000 * self.seconds:
            raise ValueError(f"fade_ms: {self.fade_ms:g} twice is longer than a segment of {self.seconds:g} s")
        return self

    @property
    def inputs(self) -> dict[str, Path]:
        """What is read from disk, so that a change in it is noticed."""
        return {**self.source.inputs, **self.tags.inputs}

    @property
    def n_samples(self) -> int:
        """Of a segment."""
        return round(self.seconds * self.sample_rate)

    @property
    def n_hop(self) -> int:
        return round((self.hop_seconds or self.seconds) * self.sample_rate)

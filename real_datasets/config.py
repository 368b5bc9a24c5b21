"""The config of stage 2."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    WrapValidator,
    model_validator,
)

from real_datasets.decode import Resampling
from real_datasets.silence import Silence
from real_datasets.sources import Source, sources
from real_datasets.splits import SplitShares
from real_datasets.tags import TagPolicy
from real_datasets.ways import OutOfPhase
from texturelib.audio import MOST_CHANNELS
from texturelib.config import Config, Share, StageConfig, paths_in
from texturelib.files import real_path, shown


class Clipping(Config):
    """Detection of clipped recordings: runs of samples at full scale, in any channel, before any
    processing."""

    level: Annotated[float, Field(gt=0, le=1)] = 0.999
    """Magnitude from which a sample counts as at full scale (1)."""
    run: Annotated[int, Field(ge=1, le=1000)] = 3
    """Number of consecutive samples at full scale that count as clipped."""
    most: NonNegativeInt | None = None
    """Maximum number of clipped samples in a segment that is kept; null keeps all segments and only
    counts (n_clipped in metadata.csv)."""


def _mix_or_number(setting: Any, validate: Callable[[Any], Any]) -> Any:
    try:
        return validate(setting)
    except ValidationError:
        raise ValueError(
            f'{json.dumps(setting)} should be "mix" or the number of a channel, from 1'
        ) from None


ChannelSetting = Annotated[
    Literal["mix"] | Annotated[int, Field(strict=True, ge=1)], WrapValidator(_mix_or_number)
]


def _all_or_number(setting: Any, validate: Callable[[Any], Any]) -> Any:
    try:
        return validate(setting)
    except ValidationError:
        raise ValueError(
            f'{json.dumps(setting)} should be "all" or a number of channels, 1 to {MOST_CHANNELS}'
        ) from None


ChannelsSetting = Annotated[
    Literal["all"] | Annotated[int, Field(strict=True, ge=1, le=MOST_CHANNELS)],
    WrapValidator(_all_or_number),
]


class RealConfig(StageConfig):
    """`real-datasets build` and `plan`: recordings cut to clips of one length."""

    source: Annotated[Source, sources]
    """Where the recordings come from."""
    tags: TagPolicy = TagPolicy()
    """Rule by which recordings are taken, by their tags."""
    sample_rate: Annotated[int, Field(ge=8000, le=192000)] = 44100
    """Sample rate of the segments, in Hz; recordings with another one are resampled."""
    seconds: Annotated[float, Field(ge=0.01, le=86400)] = 1.0
    """Length of each segment, in seconds; a shorter rest at a recording's end is not used."""
    hop_seconds: Annotated[float, Field(ge=0.01, le=86400)] | None = None
    """Distance between the starts of two segments, in seconds; less than `seconds` makes them
    overlap. null: `seconds`."""
    channels: ChannelsSetting = 1
    """Number of channels of each segment, 1 to 8: 1 mixes a recording's channels, or takes one of
    them; a larger number keeps those of recordings that have as many, and copies mono recordings to
    each; "all" keeps those of the recordings, which must all have the same number or be mono."""
    channel: ChannelSetting = "mix"
    """Channel that is used where `channels` is 1: "mix" is the mean of all, a number from 1 one of
    them."""
    out_of_phase: OutOfPhase = "channel"
    """Treatment of a recording whose channels cancel each other in their mean: "channel" uses the
    loudest channel only, "reject" leaves the recording out, "mix" uses the mean all the same."""
    resampling: Resampling = "HQ"
    """soxr's quality for recordings with another sample rate: QQ, LQ, MQ, HQ or VHQ."""
    fade_ms: NonNegativeFloat = 0.0
    """Length of the fades at both ends of a segment, in milliseconds."""
    silence: Silence | None = Silence()
    """Rule by which silent segments are left out; null leaves out only segments of zeros."""
    clipping: Clipping = Clipping()
    """Detection of clipped recordings."""
    drop_duplicates: bool = True
    """Keep only the first of identical segments."""
    most_per_recording: PositiveInt | None = None
    """Maximum number of segments of one recording, spread evenly over it; null keeps all."""
    split: SplitShares | None = None
    """Shares by which the set is divided into parts; null keeps the source's own parts."""
    max_rejected: Share = 0.5
    """The share of recordings that may be unusable before the whole job counts as failed."""

    @model_validator(mode="after")
    def _output_apart_from_recordings(self) -> "RealConfig":
        output = real_path(self.output)
        for _, path in paths_in(self.source):
            read = real_path(path)
            # Inside, segments would be taken for recordings; around, --overwrite would remove the
            # recordings.
            if output.is_relative_to(read) or read.is_relative_to(output):
                raise ValueError(
                    f"output: {shown(self.output)} and the recordings in {shown(path)} should be apart"
                )
        return self

    @model_validator(mode="after")
    def _one_channel_of_one(self) -> "RealConfig":
        if self.channels != 1 and self.channel != "mix":
            raise ValueError(
                f"channel: {self.channel} takes one channel of each recording, but channels is {json.dumps(self.channels)}; "
                "set one of the two"
            )
        return self

    @model_validator(mode="after")
    def _fades_fit(self) -> "RealConfig":
        if 2 * self.fade_ms > 1000 * self.seconds:
            raise ValueError(
                f"fade_ms: {self.fade_ms:g} twice is longer than a segment of {self.seconds:g} s"
            )
        return self

    @property
    def inputs(self) -> dict[str, Path]:
        """The files and folders that are read, by name: a change in one makes the output
        outdated."""
        return {**self.source.inputs, **self.tags.inputs}

    @property
    def n_samples(self) -> int:
        """Samples per segment."""
        return round(self.seconds * self.sample_rate)

    @property
    def n_hop(self) -> int:
        return round((self.hop_seconds or self.seconds) * self.sample_rate)

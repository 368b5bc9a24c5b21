"""The config of stage 2."""

from typing import Annotated

from pydantic import Field, model_validator

from real_datasets.sources import Source, sources
from texturelib.config import Share, StageConfig
from texturelib.files import shown


class RealConfig(StageConfig):
    """`real-datasets build`: recordings cut to clips of one length."""

    source: Annotated[Source, sources]
    sample_rate: Annotated[int, Field(ge=8000, le=192000)] = 44100
    seconds: Annotated[float, Field(ge=0.01)] = 1.0
    """Of each segment; what is left at a recording's end is not used."""
    silence_dbfs: Annotated[float, Field(le=0)] | None = -60.0
    """Segments whose level (root mean square; full scale is 0) is lower are left out; null leaves out only zeros."""
    max_rejected: Share = 0.5
    """The share of recordings that may be unusable before the whole job counts as failed."""

    @model_validator(mode="after")
    def _output_apart_from_recordings(self) -> "RealConfig":
        output = self.output.resolve()
        for path in self.source.inputs.values():
            read = path.resolve()
            # Inside, segments would be taken for recordings; around, --overwrite would remove the recordings.
            if output.is_relative_to(read) or read.is_relative_to(output):
                raise ValueError(f"output: {shown(self.output)} and the recordings in {shown(path)} should be apart")
        return self

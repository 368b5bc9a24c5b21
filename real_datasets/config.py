"""The config of stage 2."""

from typing import Annotated

from pydantic import Field, PositiveFloat

from real_datasets.sources import Source, sources
from texturelib.config import StageConfig


class RealConfig(StageConfig):
    """`real-datasets build`: recordings cut to clips of one length."""

    source: Annotated[Source, sources]
    sample_rate: Annotated[int, Field(ge=8000, le=192000)] = 44100
    seconds: PositiveFloat = 1.0
    """Of each segment; what is left at a recording's end is not used."""
    silence_dbfs: Annotated[float, Field(le=0)] | None = -60.0
    """Segments whose level (root mean square; full scale is 0) is lower are left out; null leaves out only those of nothing but zeros."""
    max_rejected: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The share of recordings that may be unusable before the whole job counts as failed."""

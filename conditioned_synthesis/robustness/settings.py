"""The settings of the robustness graph."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from conditioned_synthesis.representations import Representation, representations
from conditioned_synthesis.representations.instantaneous_frequency import InstantaneousFrequency
from conditioned_synthesis.representations.log_magnitude import LogMagnitude
from conditioned_synthesis.representations.magnitude_phase import MagnitudePhase
from conditioned_synthesis.representations.mel import Mel
from conditioned_synthesis.representations.stft import Stft
from conditioned_synthesis.representations.waveform import Waveform
from texturelib.config import Config, Seed

Measure = Literal["texture", "visqol", "pesq"]
_AnyRepresentation = Annotated[Representation, representations]


class Robustness(Config):
    """Settings of `conditioned-synthesis robustness`, which adds noise to representations of clips
    and measures what is left of their quality."""

    representations: Annotated[dict[str, _AnyRepresentation], Field(min_length=1)] = Field(
        default={
            "waveform": Waveform(),
            "stft": Stft(),
            "log_magnitude": LogMagnitude(),
            "magnitude_phase": MagnitudePhase(),
            "instantaneous_frequency": InstantaneousFrequency(),
            "mel": Mel(),
        }
    )
    """Representations to compare, by the name that the table gives them."""
    snr_db: Annotated[tuple[Annotated[float, Field(ge=-40, le=120)], ...], Field(min_length=2)] = (
        0.0, 6.0, 12.0, 18.0, 24.0, 30.0, 38.0, 46.0,
    )  # fmt: skip
    """Signal-to-noise ratios of the normalised values, in dB, rising."""
    repeats: Annotated[int, Field(ge=1, le=1000)] = 20
    """Number of times that noise is drawn for each clip and ratio."""
    clips: Annotated[int, Field(ge=1, le=1000)] = 4
    """Number of clips, evenly spread among all."""
    measures: Annotated[tuple[Measure, ...], Field(min_length=1)] = ("texture",)
    """How quality is measured: "texture", the distance in texture statistics (two clips of one
    texture are about 1 apart); "visqol", ViSQOL's audio mode, 1 to 5, some two seconds of computing
    for one of sound; "pesq", 1 to 4.6, made for telephone speech, so it hears nothing above 8 kHz,
    and for log magnitudes it need not fall with noise."""
    seed: Seed = 0
    """Seed of the noise."""

    @field_validator("snr_db")
    @classmethod
    def _rises(cls, given: tuple[float, ...]) -> tuple[float, ...]:
        if list(given) != sorted(set(given)):
            raise ValueError("snr_db: should rise from each number to the next")
        return given

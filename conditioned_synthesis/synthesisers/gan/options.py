"""What can be set of Gan. It knows no network, so that networks may know it."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from conditioned_synthesis.representations import Representation, representations
from conditioned_synthesis.representations.log_magnitude import LogMagnitude
from conditioned_synthesis.synthesisers._base import TrainedSynthesiser
from conditioned_synthesis.synthesisers.gan.presets import PRESETS, Preset
from texturelib.config import Config

GENERATOR = "generator"
_AnyRepresentation = Annotated[Representation, representations]
Frequency = Literal["axis", "channels"]
_Widths = Annotated[tuple[PositiveInt, ...], Field(min_length=1, max_length=12)]
_Kernel = Annotated[int, Field(ge=2, le=256)]
_Stride = Annotated[int, Field(ge=2, le=16)]


class Critic(Config):
    """Settings of a critic, which learns to tell clips from what the generator makes."""

    representation: _AnyRepresentation | None = None
    """Representation that the critic hears; null: the one that the generator makes."""
    weight: PositiveFloat = 1.0
    """Factor of what this critic says in the generator's loss."""
    widths: _Widths | None = None
    """Number of channels of each layer; null: those of the generator, from its last layer back."""
    kernel: _Kernel | None = None
    """Length of the filters, along each axis; null: as in the generator."""
    stride: _Stride | None = None
    """Factor by which each layer has fewer values along each axis; null: as in the generator."""
    frequency: Frequency | None = None
    """What frequencies are to its layers; null: what they are to those of the generator."""
    lr: PositiveFloat | None = None
    """Highest learning rate of this critic; null: that of the generator."""


class GanOptions(TrainedSynthesiser):
    """All settings of Gan but its word."""

    preset: Preset = "small"
    """Values of all keys that are not given: "small" and "small_waveform" train in minutes on a
    processor; "wavegan" and "specgan" have the published sizes, for a GPU."""
    num_steps: PositiveInt = 1500
    """Number of steps of the generator's optimizer, Adam."""
    batch_size: PositiveInt = 16
    """Number of clips in a batch."""
    lr: PositiveFloat = 0.001
    """Highest learning rate."""
    gradient_norm: PositiveFloat = 10.0
    """Largest norm of the gradient; longer gradients are clipped to it."""
    checkpoint: PositiveInt = 250
    """Number of steps of the generator between checkpoints."""
    representation: _AnyRepresentation = LogMagnitude()
    """Representation of sounds that the generator makes."""
    seconds: Annotated[float, Field(gt=0, le=60)] = 0.512
    """Length of a chunk, in seconds: the nearest that the generator's layers can make."""
    overlap: Annotated[float, Field(ge=0, le=10)] = 0.064
    """Length of the crossfade from one chunk to the next, in seconds; at most half of a chunk."""
    step: Annotated[float, Field(gt=0, le=60)] | None = None
    """Time from one chunk's beginning to the next one's when it plays, in seconds, at which controls
    are read; null: the length of a chunk without its crossfade, than which it cannot be longer."""
    history: Annotated[float, Field(ge=0, le=60)] = 0.256
    """Length of the sound before a chunk that generator and critics are given, in seconds; 0 gives
    none."""
    latent: PositiveInt = 64
    """Number of random numbers that a chunk is made of."""
    frequency: Frequency = "channels"
    """What frequencies are to the layers: "axis", along which the same filters are moved, as in
    SpecGAN; or "channels", each with weights of its own, which takes a fifth of the time."""
    widths: _Widths = (128, 128, 128, 128)
    """Number of channels of the generator's layers, from the coarsest on."""
    kernel: _Kernel = 4
    """Length of the filters, along each axis."""
    stride: _Stride = 2
    """Factor by which each layer has more values along each axis."""
    film: bool = True
    """Whether the controls of each frame scale and shift every layer; else only the coarsest one is
    given them."""
    noise: bool = True
    """Whether noise is added to every layer, so that fine detail need not come from `latent`."""
    bounded: bool = False
    """Whether values are kept within three standard deviations, and those of samples within -1..1."""
    average: Annotated[float, Field(ge=0, lt=1)] = 0.99
    """Share of the running average of the generator's weights that a step keeps; what is played has
    the average; 0 plays the last weights."""
    critics: Annotated[dict[str, Critic], Field(min_length=1)] = Field(default={"critic": Critic()})
    """Critics by name, each with an optimizer of its own. One with another representation than the
    generator's hears the sound, so that must have a gradient: the generator's representation must
    keep phase."""
    critic_steps: Annotated[int, Field(ge=1, le=100)] = 2
    """Number of steps of each critic for one of the generator."""
    penalty: PositiveFloat = 10.0
    """Weight of the critics' gradient penalty: how far the slope along the sound is from 1."""
    control_penalty: NonNegativeFloat = 0.0
    """Weight of the critics' second penalty: how far the slope along the controls is from 1."""
    matching: NonNegativeFloat = 0.0
    """Weight of the difference between what clips and made sounds with the same controls are, on
    average over time, in the critics' layers; 0 leaves it out."""

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, given: Any) -> Any:
        """Fill in the values of the preset."""
        if isinstance(given, dict):
            preset = given.get("preset", "small")
            if preset in PRESETS:
                return {**PRESETS[preset], **given}
        return given

    @model_validator(mode="after")
    def _fits_together(self) -> "GanOptions":
        for name, critic in self.critics.items():
            if name == GENERATOR or not re.fullmatch(r"[a-z]\w{0,30}", name):
                raise ValueError(
                    f'critics: "{name}" should be a word of small letters other than "{GENERATOR}"'
                )
            if critic.representation and not self.representation.keeps_phase:
                kind = self.representation.type  # type: ignore[attr-defined]
                raise ValueError(
                    f'critics.{name}.representation: hears sounds, to which "{kind}" has no gradient; '
                    "let the generator make one that keeps phase, or this critic hear what it makes"
                )
        return self

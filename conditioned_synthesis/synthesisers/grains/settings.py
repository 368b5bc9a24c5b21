"""The settings of Grains, concatenative synthesis."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PositiveInt, model_validator

from conditioned_synthesis.synthesisers._base import Synthesiser, synthesisers

if TYPE_CHECKING:
    from conditioned_synthesis.data.split import SplitSounds
    from conditioned_synthesis.synthesisers.grains.network import GrainsNetwork
    from conditioned_synthesis.synthesisers.grains.training import GrainsTraining


@synthesisers.register
class Grains(Synthesiser):
    """Pieces of the clips themselves, units, joined where they fit. The next unit is one whose
    controls are near those asked for; where a control has a law, it is moved the rest of the way:
    played faster or slower, several at a time, louder or softer.

    After CataRT (D. Schwarz et al., "Real-time corpus-based concatenative synthesis with CataRT",
    DAFx 2006; D. Schwarz and N. Schnell, "Descriptor-based sound texture sampling", SMC 2010).
    Nothing is learnt by steps: training only makes an index of the units.
    """

    type: Literal["grains"] = "grains"
    seconds: Annotated[float, Field(ge=0.02, le=60)] = 0.4
    """Mean length of a unit, in seconds: longer ones are more like the recording, and more of a
    copy of it."""
    overlap: Annotated[float, Field(ge=0.002, le=10)] = 0.06
    """Length of the crossfade from one unit to the next, in seconds; at most a third of `seconds`."""
    neighbours: Annotated[int, Field(ge=1, le=1000)] = 16
    """Number of units near the controls among which the next one is the one that fits best where
    it is joined."""
    tolerance: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Range of slider positions, 0..1, from which neighbours are drawn at random, for variety; times
    the temperature."""
    most_ratio: Annotated[float, Field(ge=1, le=4)] = 1.26
    """Highest ratio by which a unit is played faster or slower than it was recorded, for controls
    with a law `slow_down`; 1 never does."""
    most_layers: Annotated[int, Field(ge=1, le=16)] = 4
    """Largest number of units at a time, for controls with a law `mixing`; 1 never mixes."""
    no_repeat_seconds: Annotated[float, Field(ge=0, le=3600)] = 3.0
    """Time in which no unit comes again, in seconds, where there are others; nor, of long recordings,
    another clip of the same moment."""
    most_seconds: Annotated[float, Field(gt=0, le=36000)] = 600.0
    """Largest total length of the clips that the model folder holds, in seconds; of more clips, a
    random choice. A minute of 44.1 kHz takes 5 MB per channel."""
    search_ms: Annotated[float, Field(ge=0, le=1000)] = 10.0
    """Range in which the best place to join a unit is searched, in milliseconds."""
    compared: PositiveInt = 4
    """Number of units, those of the nearest spectra, whose waveforms are compared at a join."""

    @model_validator(mode="after")
    def _fits_together(self) -> "Grains":
        if self.overlap > self.seconds / 3:
            raise ValueError(
                f"overlap: {self.overlap:g} s should be at most a third of seconds, {self.seconds:g}"
            )
        return self

    def channels_learnt(self, of_clips: int) -> int:
        """Return the number of channels that it plays: those of the clips."""
        return of_clips

    def network(self, n_controls: int, sample_rate: int, n_channels: int = 1) -> "GrainsNetwork":
        from conditioned_synthesis.synthesisers.grains.network import GrainsNetwork
        from conditioned_synthesis.synthesisers.grains.sizes import sizes_of

        return GrainsNetwork(n_controls, sample_rate, n_channels, sizes_of(self, sample_rate))

    def training(self, network: Any, clips: "SplitSounds", seed: int) -> "GrainsTraining":
        from conditioned_synthesis.synthesisers.grains.training import GrainsTraining

        return GrainsTraining(network, clips, seed, self.most_seconds)

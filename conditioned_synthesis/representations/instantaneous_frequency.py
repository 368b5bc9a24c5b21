"""Sounds as magnitudes and instantaneous frequencies."""

from typing import TYPE_CHECKING, ClassVar, Literal

from conditioned_synthesis.representations._base import representations
from conditioned_synthesis.representations._spectral import Spectral

if TYPE_CHECKING:
    from conditioned_synthesis.representations.transforms.instantaneous_frequency import (
        InstantaneousFrequencyTransform,
    )


@representations.register
class InstantaneousFrequency(Spectral):
    """Log magnitude of each bin, and its instantaneous frequency: by how much its phase, unwrapped
    over time, grows from one frame to the next.

    Source: J. Engel et al., "GANSynth", ICLR 2019.
    """

    keeps_phase: ClassVar[bool] = True
    type: Literal["instantaneous_frequency"] = "instantaneous_frequency"

    def transform(self, sample_rate: int) -> "InstantaneousFrequencyTransform":
        from conditioned_synthesis.representations.transforms.instantaneous_frequency import (
            InstantaneousFrequencyTransform,
        )

        return InstantaneousFrequencyTransform(
            ("log_magnitude", "instantaneous_frequency"), self.n_fft, self.hop_length
        )

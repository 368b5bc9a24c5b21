"""The settings of Gan, adversarial synthesis on a representation of sounds."""

from typing import TYPE_CHECKING, Any, Literal

from conditioned_synthesis.synthesisers._base import synthesisers
from conditioned_synthesis.synthesisers.gan.options import GanOptions

if TYPE_CHECKING:
    from conditioned_synthesis.data.split import SplitSounds
    from conditioned_synthesis.synthesisers.gan.network import GanNetwork
    from conditioned_synthesis.synthesisers.gan.training import GanTraining


@synthesisers.register
class Gan(GanOptions):
    """A generator that makes chunks of a representation of sounds from the controls, random numbers
    and the sound before the chunk, and learns from critics.

    After WaveGAN and SpecGAN (C. Donahue, J. McAuley and M. Puckette, 2019), with the Wasserstein
    distance and gradient penalty of I. Gulrajani et al., 2017.
    """

    type: Literal["gan"] = "gan"

    def network(self, n_controls: int, sample_rate: int, n_channels: int = 1) -> "GanNetwork":
        from conditioned_synthesis.synthesisers.gan.network import GanNetwork

        return GanNetwork(self, n_controls, sample_rate)

    def training(self, network: Any, clips: "SplitSounds", seed: int) -> "GanTraining":
        from conditioned_synthesis.synthesisers.gan.training import GanTraining

        return GanTraining(network, clips, seed, self)

"""The settings of MTCRNN's audio network."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PositiveInt

from conditioned_synthesis.synthesisers._base import TrainedSynthesiser, synthesisers
from texturelib.config import Share

if TYPE_CHECKING:
    from conditioned_synthesis.data.split import SplitSounds
    from conditioned_synthesis.synthesisers.mtcrnn.network import ConditionalGru
    from conditioned_synthesis.synthesisers.mtcrnn.training import MtcrnnTraining


@synthesisers.register
class Mtcrnn(TrainedSynthesiser):
    """A recurrent network that predicts each sample from all before it and the controls, in 256
    mu-law steps.

    Source: M. Huzaifah and L. Wyse, "MTCRNN: a multi-scale RNN for directed audio texture
    synthesis", 2020; its tier for audio. Unlike there, the state is carried from window to window:
    a window that begins with an empty state cannot know when the last drop fell.
    """

    type: Literal["mtcrnn"] = "mtcrnn"
    hidden_size: PositiveInt = 256
    """Number of units of each layer of gated recurrent units."""
    n_layers: Annotated[int, Field(ge=1, le=16)] = 1
    """Number of layers of gated recurrent units."""
    seq_len: Annotated[int, Field(ge=16)] = 500
    """Number of samples in a window, through which a gradient flows back."""
    windows_carried: PositiveInt = 32
    """Number of windows that follow one another before other clips, or other places in them, are
    drawn."""
    onehot: bool = False
    """Whether the last sample is given to the network as one of 256 inputs; else as a number."""
    tfr: Share = 1.0
    """Teacher forcing rate: the share of the network's input samples in training that are the
    clip's; the others are its own predictions of them (scheduled sampling; all at once after D.
    Duckworth et al., "Parallel scheduled sampling", 2019)."""

    def network(self, n_controls: int, sample_rate: int, n_channels: int = 1) -> "ConditionalGru":
        from conditioned_synthesis.synthesisers.mtcrnn.network import ConditionalGru

        return ConditionalGru(
            n_controls, sample_rate, self.hidden_size, self.n_layers, self.onehot, self.tfr
        )

    def training(self, network: Any, clips: "SplitSounds", seed: int) -> "MtcrnnTraining":
        from conditioned_synthesis.synthesisers.mtcrnn.training import MtcrnnTraining

        return MtcrnnTraining(
            network,
            clips,
            seed,
            seq_len=self.seq_len,
            windows_carried=self.windows_carried,
            batch_size=self.batch_size,
            lr=self.lr,
            schedule=self.schedule,
            gradient_norm=self.gradient_norm,
        )

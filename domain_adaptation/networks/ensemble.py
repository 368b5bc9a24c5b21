"""An ensemble of networks whose labels are averaged."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from domain_adaptation.networks._base import Network, networks
from texturelib.config import Config

if TYPE_CHECKING:
    from torch import nn


@networks.register
class Ensemble(Config):
    """Networks of one kind, each with its own weights, whose labels are averaged.

    Each learns by itself, from the same batches. What one makes of the accidents of the clips that
    it learnt from, the others do not, so the mean is more accurate than any of them (B.
    Lakshminarayanan et al., "Simple and scalable predictive uncertainty estimation using deep
    ensembles", NeurIPS 2017). Training and labelling take as many times as long.
    """

    type: Literal["ensemble"] = "ensemble"
    members: Annotated[int, Field(ge=2, le=32)] = 3
    """Number of networks."""
    # When this is read the ensemble is not yet registered: it can be of any kind but its own.
    of: Annotated[Network, networks]
    """Kind of the networks, with its settings; any but an ensemble."""

    def encoder(self, input_shape: Sequence[int], n_controls: int) -> "nn.Module":
        from domain_adaptation.networks._ensemble import SideBySide

        return SideBySide([self.of.encoder(input_shape, n_controls) for _ in range(self.members)])

    def head(self, n_features: int, n_controls: int) -> "nn.Module":
        from domain_adaptation.networks._ensemble import Averaging

        return Averaging(
            [self.of.head(n_features // self.members, n_controls) for _ in range(self.members)]
        )

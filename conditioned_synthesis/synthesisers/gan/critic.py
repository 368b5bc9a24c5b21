"""The critics of Gan."""

from collections.abc import Sequence

import torch
from torch import nn

from conditioned_synthesis.synthesisers.gan.layers import Downward


class CriticNetwork(nn.Module):
    """A network that says how much values of a representation are like those of clips with these
    controls; only differences of what it says mean anything.

    The controls of each frame are further channels of what it hears, and their mean is compared
    with what is left after the last layer (T. Miyato and M. Koyama, "cGANs with projection
    discriminator", 2018).

    Shape:
        values: [batch, channels, (bins,) frames]
        controls: [batch, frames, n_controls]
        -> [batch]
    """

    def __init__(
        self,
        shape: Sequence[int],
        n_controls: int,
        widths: Sequence[int],
        kernel: int,
        stride: int,
    ) -> None:
        """shape: of the values as its layers see them, without the batch: [channels, (bins,)
        frames]."""
        super().__init__()
        n_parts, *sizes = self._shape = tuple(shape)
        self.hear = Downward((n_parts + n_controls, *sizes), widths, kernel, stride, 1)
        self.expect = nn.Linear(n_controls, self.hear.n_features)

    def features(self, values: torch.Tensor, controls: torch.Tensor) -> list[torch.Tensor]:
        """Return what each layer makes."""
        values = values.reshape(len(values), *self._shape)
        n_frames = values.shape[-1]
        of_frames = controls.mT
        if of_frames.shape[-1] != n_frames:
            of_frames = nn.functional.interpolate(of_frames, n_frames, mode="linear")
        if values.ndim == 4:
            of_frames = of_frames[:, :, None].expand(-1, -1, values.shape[2], -1)
        return self.hear.features(torch.cat([values, of_frames], dim=1))

    def forward(self, values: torch.Tensor, controls: torch.Tensor) -> torch.Tensor:
        last = self.features(values, controls)[-1]
        said = self.hear.leave(last.flatten(1))[:, 0]
        return said + (self.expect(controls.mean(1)) * last.flatten(2).mean(2)).sum(1)

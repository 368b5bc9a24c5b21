"""The generator of Gan."""

import copy
import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from conditioned_synthesis.synthesisers.gan.layers import Downward, Upward

_CODE = 64  # numbers that the sound before is summed up in


class Draw(NamedTuple):
    """All that is random in a chunk.

    Shape:
        latent: [batch, n_latent]
        noises: of each layer [batch, channels, frames], or [batch, 1, bins, frames] where
            frequencies are an axis; none where there is no noise
    """

    latent: torch.Tensor
    noises: list[torch.Tensor]


class Generator(nn.Module):
    """A network that makes a chunk of normalised values of a representation.

    Shape:
        draw: see `Draw`
        controls: [batch, n_frames, n_controls], of each frame
        before: [batch, channels, (bins,) history frames], values of the sound before; None where the
            generator is not given it
        -> [batch, channels, (bins,) n_frames]
    """

    def __init__(
        self,
        *,
        values_shape: Sequence[int],
        shape: Sequence[int],
        coarse_frames: int,
        history_frames: int,
        n_controls: int,
        latent: int,
        widths: tuple[int, ...],
        kernel: int,
        stride: int,
        film: bool,
        noise: bool,
        bounded: bool,
    ) -> None:
        """Build the network.

        Args:
            values_shape: of the values, without batch and frames.
            shape: of the same values as layers see them: [channels], or [channels, bins] where frequencies are an axis; bins a
                multiple of stride ** len(widths).
            coarse_frames: number of frames of the coarsest layer.
            history_frames: number of frames of the sound before; 0 without.
            n_controls: number of controls.
            latent, widths, kernel, stride, film, noise, bounded: as the settings.
        """
        super().__init__()
        self.latent, self._has_noise, self._bounded = latent, noise, bounded
        self._values_shape, self._shape = tuple(values_shape), tuple(shape)
        self._coarse_frames, self._stride = coarse_frames, stride
        n_dims = len(shape)
        coarse_bins = [n_bins // stride ** len(widths) for n_bins in shape[1:]]
        self._coarse = (widths[0], *coarse_bins, coarse_frames)
        self._widths = [*widths[1:], widths[-1]]
        self.listen = (
            Downward((*shape, history_frames), widths[::-1], kernel, stride, _CODE)
            if history_frames
            else None
        )
        n_given = latent + n_controls + (_CODE if history_frames else 0)
        self.enter = nn.Linear(n_given, math.prod(self._coarse))
        self.enter_controls = nn.Conv1d(n_controls, widths[0], 3, padding=1)
        self.layers = nn.ModuleList(
            Upward(n_in, n_out, kernel, stride, n_dims, n_controls if film else 0, noise)
            for n_in, n_out in zip(widths, self._widths, strict=True)
        )
        self.leave = (nn.Conv1d if n_dims == 1 else nn.Conv2d)(widths[-1], shape[0], 1)

    @property
    def n_frames(self) -> int:
        return self._coarse_frames * self._stride ** len(self.layers)

    def draw(
        self, batch: int, generator: torch.Generator | None = None, temperature: float = 1.0
    ) -> Draw:
        """Draw what is random. generator: None is torch's global one."""
        device = self.enter.weight.device

        def normal(*shape: int) -> torch.Tensor:
            drawn = torch.randn(shape, generator=generator, device=None if generator else device)
            return temperature * drawn.to(device)

        latent = normal(batch, self.latent)
        if not self._has_noise:
            return Draw(latent, [])
        sizes = self._coarse[1:]
        noises = []
        for index, width in enumerate(self._widths):
            by = self._stride ** (index + 1)
            noises.append(
                normal(batch, width if len(sizes) == 1 else 1, *[size * by for size in sizes])
            )
        return Draw(latent, noises)

    def forward(
        self, draw: Draw, controls: torch.Tensor, before: torch.Tensor | None
    ) -> torch.Tensor:
        given = [draw.latent, controls.mean(1)]
        if self.listen is not None and before is not None:
            given.append(self.listen(before.reshape(len(before), *self._shape, -1)))
        values = self.enter(torch.cat(given, dim=1)).unflatten(1, self._coarse)
        of_frames = self.enter_controls(_averaged(controls, self._coarse_frames).mT)
        values = values + (of_frames if values.ndim == 3 else of_frames[:, :, None])
        values = nn.functional.leaky_relu(values, 0.2)
        for index, layer in enumerate(self.layers):
            n_frames = self._coarse_frames * self._stride ** (index + 1)
            noise = draw.noises[index] if draw.noises else None
            values = layer(values, _averaged(controls, n_frames), noise)
        made = self.leave(values)
        made = made.reshape(len(made), *self._values_shape, -1)
        return made.tanh() if self._bounded else made

    def averaged_copy(self) -> "Generator":
        """Return a copy that no optimizer changes."""
        return copy.deepcopy(self).requires_grad_(False)


def _averaged(controls: torch.Tensor, n_frames: int) -> torch.Tensor:
    """Return the means of controls over so many equal parts: [batch, frames, controls] -> [batch,
    n_frames, controls]."""
    return controls.unflatten(1, (n_frames, -1)).mean(2)

"""The layers of generators and critics, for values over time, and over frequency and time."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import leaky_relu

_SLOPE = 0.2  # of values below 0


class Upward(nn.Module):
    """A layer with `stride` times as many values along each axis, with noise and controls.

    Shape:
        values: [batch, n_in, (bins,) frames]
        controls: [batch, frames * stride, n_controls]
        noise: [batch, n_out, frames * stride] or [batch, 1, bins * stride, frames * stride], or None
        -> [batch, n_out, (bins * stride,) frames * stride]
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        kernel: int,
        stride: int,
        n_dims: int,
        n_controls: int,
        has_noise: bool,
    ) -> None:
        """n_dims: 1 for time, 2 for frequency and time. n_controls: 0 without controls."""
        super().__init__()
        kind = nn.ConvTranspose1d if n_dims == 1 else nn.ConvTranspose2d
        # As much is cut off at both ends as makes it exactly `stride` times as long.
        kernel = max(kernel, stride)
        cut, odd = divmod(kernel - stride + 1, 2)[0], (kernel - stride) % 2
        self.convolution = kind(n_in, n_out, kernel, stride, cut, odd)
        self.film = nn.Linear(n_controls, 2 * n_out) if n_controls else None
        self.noise_gain = nn.Parameter(torch.full((n_out,), 0.5)) if has_noise else None
        self._n_dims = n_dims

    def forward(
        self, values: torch.Tensor, controls: torch.Tensor, noise: torch.Tensor | None
    ) -> torch.Tensor:
        made = self.convolution(values)
        if self.noise_gain is not None and noise is not None:
            made = made + noise * self.noise_gain.view(-1, *[1] * self._n_dims)
        if self.film is not None:
            film = self.film(controls).mT  # [batch, 2 * n_out, frames]
            if self._n_dims == 2:
                film = film[:, :, None]
            scale, shift = film.chunk(2, dim=1)
            made = made * (1 + scale) + shift
        return leaky_relu(made, _SLOPE)


class Downward(nn.Module):
    """Layers with ever fewer values along each axis, then numbers of all that is left.

    Shape:
        values: [batch, n_in, (bins,) frames] -> [batch, n_out]
    """

    def __init__(
        self, shape: Sequence[int], widths: Sequence[int], kernel: int, stride: int, n_out: int
    ) -> None:
        """shape: of what it is given, without the batch."""
        super().__init__()
        n_dims = len(shape) - 1
        kind = nn.Conv1d if n_dims == 1 else nn.Conv2d
        pad = (kernel - stride + 1) // 2 if kernel > stride else 0
        self.layers = nn.ModuleList()
        channels, *sizes = shape
        for width in widths:
            # Where little is left, a filter is no longer than that.
            reach = [min(kernel, size + 2 * pad) for size in sizes]
            step = [min(stride, size) for size in sizes]
            self.layers.append(kind(channels, width, reach, step, pad))  # type: ignore[arg-type]
            sizes = [
                (size + 2 * pad - long) // by + 1
                for size, long, by in zip(sizes, reach, step, strict=True)
            ]
            channels = width
        n_left = channels
        for size in sizes:
            n_left *= size
        self.n_features = channels
        self.leave = nn.Linear(n_left, n_out)

    def features(self, values: torch.Tensor) -> list[torch.Tensor]:
        """Return what each layer makes."""
        found = []
        for layer in self.layers:
            values = leaky_relu(layer(values), _SLOPE)
            found.append(values)
        return found

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.leave(self.features(values)[-1].flatten(1))

"""The transform of a representation: from sounds to normalised values, and back."""

from collections.abc import Iterable

import torch
from torch import nn

_DEVIATIONS = 3.0  # of a normalised value that is 1
_LEAST_SCALE = 1e-4


class Transform(nn.Module):
    """A transform of sounds into normalised values, and back.

    Called, it returns the values of sounds, which are differentiable. Its buffers, `mean` and
    `scale`, hold the normalisation; `learn` fills them.

    Attributes:
        parts: name of each channel.
        n_bins: number of frequencies of each channel; None where there is but one value per frame.
        hop_length: samples per frame.
        keeps_phase: as of `Representation`.

    Shape:
        audio [batch, samples] -> [batch, channels, bins, frames], or [batch, channels, frames]
        where there are no bins. There are ceil(samples / hop_length) frames.
    """

    mean: torch.Tensor
    scale: torch.Tensor
    keeps_phase = True

    def __init__(self, parts: tuple[str, ...], n_bins: int | None, hop_length: int) -> None:
        """Prepare a transform that leaves values as they are, until it has learnt."""
        super().__init__()
        self.parts, self.n_bins, self.hop_length = parts, n_bins, hop_length
        shape = (len(parts), 1) if n_bins is None else (len(parts), n_bins, 1)
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("scale", torch.ones(shape))

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        return (self.analyse(audio) - self.mean) / self.scale

    def inverse(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sounds with these normalised values: [batch, frames * hop_length]."""
        return self.synthesise(values * self.scale + self.mean)

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        """Return the values of sounds, not normalised."""
        raise NotImplementedError

    def synthesise(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sounds with these values, not normalised."""
        raise NotImplementedError

    def fixed_scales(self) -> tuple[float | None, ...]:
        """Return, by channel, the scale that it has whatever the sounds are (its mean is then 0);
        None where both are learnt."""
        return (None,) * len(self.parts)

    @torch.no_grad()
    def learn(self, sounds: Iterable[torch.Tensor]) -> None:
        """Learn the normalisation: values of the given sounds then have the mean 0 and the standard
        deviation 1/3 at each frequency of each channel.

        sounds: batches, each [batch, samples].
        """
        total, squares, n_values = 0.0, 0.0, 0
        for audio in sounds:
            values = self.analyse(audio).double()
            total = total + values.sum((0, -1))
            squares = squares + values.square().sum((0, -1))
            n_values += values.shape[0] * values.shape[-1]
        mean = torch.as_tensor(total / n_values)
        variance = torch.as_tensor(squares / n_values) - mean.square()
        scale = _DEVIATIONS * variance.clamp_min(0).sqrt()
        for channel, fixed in enumerate(self.fixed_scales()):
            if fixed is not None:
                mean[channel], scale[channel] = 0.0, fixed
        self.mean.copy_(mean[..., None])
        self.scale.copy_(scale.clamp_min(_LEAST_SCALE)[..., None])

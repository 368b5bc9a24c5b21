"""The distance of the distributions of a random convolutional network's features."""

import math

import torch
from torch import nn
from torch.nn.functional import conv2d

from conditioned_synthesis.dsp.channels import by_channel
from conditioned_synthesis.losses._log_mels import LogMels
from conditioned_synthesis.losses._ranks import ranked

_SEED = 20
_FILTERS = 48
_HIGH = 9  # bands that a filter sees
_LONG = (9, 9, 3)  # and frames, by resolution
# Every second place in bands, and of the fastest frames: neighbours say nearly the same.
_STRIDES = ((2, 2), (2, 1), (2, 1))
_LEAST_VARIANCE = 1e-3  # of normalised features


class RandomCnnDistance(nn.Module):
    """A sliced Wasserstein distance of features: one layer of random filters and rectifiers on
    log-mel spectrograms at three resolutions, where nothing is learnt anywhere.

    For each filter and band the values of all moments of a batch are sorted, and those of the same
    rank are compared (one-dimensional optimal transport); in units of the clips' variance.
    """

    def __init__(self, sample_rate: int, n_samples: int) -> None:
        super().__init__()
        self.log_mels = LogMels(sample_rate, n_samples)
        generator = torch.Generator().manual_seed(_SEED)
        for index, length in enumerate(_LONG):
            filters = torch.randn(_FILTERS, 1, _HIGH, length, generator=generator)
            filters /= math.sqrt(_HIGH * length)
            self.register_buffer(f"filters_{index}", filters, persistent=False)

    def forward(self, audio: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the mean distance over resolutions, filters and bands, a scalar; see `Loss`."""
        with torch.no_grad():
            theirs = self.log_mels(by_channel(target))
        ours = self.log_mels(by_channel(audio))
        distances = []
        for index, (our, their) in enumerate(zip(ours, theirs, strict=True)):
            mean, deviation = their.mean(), their.std().clamp_min(1e-3)
            with torch.no_grad():
                wanted = self._features((their - mean) / deviation, index)
                variance = wanted.var(1, keepdim=True).clamp_min(_LEAST_VARIANCE)
                wanted = ranked(wanted)
            found = ranked(self._features((our - mean) / deviation, index))
            distances.append(((found - wanted).square() / variance).mean())
        return torch.stack(distances).mean()

    def _features(self, mels: torch.Tensor, index: int) -> torch.Tensor:
        """Return the values of each filter and band. mels: [batch, mels, frames] -> [filters *
        bands, batch * frames]."""
        filters = self.get_buffer(f"filters_{index}")
        filters = filters[..., : mels.shape[2]]  # of a short sound
        features = conv2d(mels[:, None], filters, stride=_STRIDES[index]).relu()
        return features.permute(1, 2, 0, 3).flatten(2).flatten(0, 1)

"""The distance of the distributions of a random convolutional network's features."""

import torch
from torch import nn
from torch.nn.functional import conv2d

from conditioned_synthesis.dsp.channels import by_channel
from conditioned_synthesis.losses._log_mels import LogMels
from conditioned_synthesis.losses._ranks import ranked

_SEED = 20
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

    Each step of a training has other filters, from torch's global generator: a few of them are
    cheap, and over the steps they are as good as many. Without gradients, as in validation, they
    are always the same.

    Args:
        sample_rate: of the sounds, in Hz.
        n_samples: of each sound.
        filters: number of filters at each resolution.
    """

    def __init__(self, sample_rate: int, n_samples: int, filters: int = 12) -> None:
        super().__init__()
        self.log_mels = LogMels(sample_rate, n_samples)
        self._n_filters = filters

    def forward(self, audio: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the mean distance over resolutions, filters and bands, a scalar; see `Loss`."""
        with torch.no_grad():
            theirs = self.log_mels(by_channel(target))
        ours = self.log_mels(by_channel(audio))
        generator = None if torch.is_grad_enabled() else torch.Generator().manual_seed(_SEED)
        distances = []
        for our, their, long, stride in zip(ours, theirs, _LONG, _STRIDES, strict=True):
            mean, deviation = their.mean(), their.std().clamp_min(1e-3)
            # Of a short sound, no longer than it.
            shape = (self._n_filters, 1, _HIGH, min(long, their.shape[2]))
            filters = torch.randn(shape, generator=generator)
            filters = (filters / filters.flatten(1).norm(dim=1)[:, None, None, None]).to(their)
            with torch.no_grad():
                wanted = _features((their - mean) / deviation, filters, stride)
                variance = wanted.var(1, keepdim=True).clamp_min(_LEAST_VARIANCE)
                wanted = ranked(wanted)
            found = ranked(_features((our - mean) / deviation, filters, stride))
            distances.append(((found - wanted).square() / variance).mean())
        return torch.stack(distances).mean()


def _features(mels: torch.Tensor, filters: torch.Tensor, stride: tuple[int, int]) -> torch.Tensor:
    """Return the values of each filter and band. mels: [batch, mels, frames] -> [filters * bands,
    batch * frames]."""
    features = conv2d(mels[:, None], filters, stride=stride).relu()
    return features.permute(1, 2, 0, 3).flatten(2).flatten(0, 1)

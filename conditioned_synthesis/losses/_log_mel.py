"""The distance of the distributions in log-mel bands."""

import torch
from torch import nn

from conditioned_synthesis.dsp.channels import by_channel
from conditioned_synthesis.losses._log_mels import LogMels
from conditioned_synthesis.losses._ranks import ranked

_LEAST_VARIANCE = 0.01  # a tenth of a neper: less is not heard as a fluctuation


class LogMelDistance(nn.Module):
    """For each band the values of all moments of a batch are sorted, and those of the same rank are
    compared (one-dimensional optimal transport), in units of the clips' variance."""

    def __init__(self, sample_rate: int, n_samples: int) -> None:
        super().__init__()
        self.log_mels = LogMels(sample_rate, n_samples)

    def forward(self, audio: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the mean distance over resolutions and bands, a scalar; see `Loss`."""
        with torch.no_grad():
            theirs = [_by_band(each) for each in self.log_mels(by_channel(target))]
        ours = [_by_band(each) for each in self.log_mels(by_channel(audio))]
        distances = [
            (
                (ranked(our) - ranked(their)).square()
                / their.var(1, keepdim=True).clamp_min(_LEAST_VARIANCE)
            ).mean()
            for our, their in zip(ours, theirs, strict=True)
        ]
        return torch.stack(distances).mean()


def _by_band(mels: torch.Tensor) -> torch.Tensor:
    """Return [mels, batch * frames]; mels: [batch, mels, frames]."""
    return mels.transpose(0, 1).flatten(1)

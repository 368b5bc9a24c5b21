"""The loss of mean and deviation of log-mel spectrograms."""

from typing import TYPE_CHECKING, ClassVar, Literal

from conditioned_synthesis.losses._base import Loss, losses

if TYPE_CHECKING:
    from torch import nn


@losses.register
class LogMelLoss(Loss):
    """The distributions of the values of each band of log-mel spectrograms at three resolutions,
    whatever the other bands and moments have (sliced Wasserstein distance)."""

    in_words: ClassVar[str] = "of log-mel spectrograms"
    type: Literal["log_mel"] = "log_mel"

    def module(self, sample_rate: int, n_samples: int) -> "nn.Module":
        from conditioned_synthesis.losses._log_mel import LogMelDistance

        return LogMelDistance(sample_rate, n_samples)

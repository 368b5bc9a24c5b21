"""The loss of a random convolutional network's features."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from conditioned_synthesis.losses._base import Loss, losses

if TYPE_CHECKING:
    from torch import nn


@losses.register
class RandomCnnLoss(Loss):
    """The distributions of what random filters find in log-mel spectrograms at three resolutions
    (sliced Wasserstein distance). No weights are learnt; that random networks' features tell
    textures apart was found by I. Ustyuzhaninov et al. (2017) for images, and by J. Antognini et
    al. (2018) for sound."""

    in_words: ClassVar[str] = "of random features"
    type: Literal["random_cnn"] = "random_cnn"
    filters: Annotated[int, Field(ge=1, le=512)] = 12
    """Number of random filters at each resolution; each step of a training has others."""

    def module(self, sample_rate: int, n_samples: int) -> "nn.Module":
        from conditioned_synthesis.losses._random_cnn import RandomCnnDistance

        return RandomCnnDistance(sample_rate, n_samples, self.filters)

"""The supervised loss on synthetic clips."""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import nn

from domain_adaptation.features import Features
from domain_adaptation.models.extractor import Reading
from domain_adaptation.models.intervals import laplace_loss

_LOSSES = {"l1": nn.functional.l1_loss, "mse": nn.functional.mse_loss}

Augmentation = Callable[
    [torch.Tensor, torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor, torch.Tensor]
]
"""A function from clips with known controls to other clips with known controls.

Takes clips [batch, samples] float, their controls [batch, controls] and the indices of the clips
[batch]; returns the same of the new clips, perhaps fewer.
"""


class SupervisedLoss:
    """The distance of the labels from the truth, plus how badly the Laplace scale predicts that
    distance."""

    def __init__(
        self,
        features: Features,
        loss: Literal["l1", "mse"],
        augmentations: Sequence[Augmentation] = (),
    ) -> None:
        """Prepare the loss. augmentations: applied to the clips in training, one after the
        other."""
        self._features = features
        self._loss = loss
        self._augmentations = augmentations

    def __call__(
        self,
        extractor: nn.Module,
        clips: torch.Tensor,
        truth: torch.Tensor,
        rows: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return the loss of a batch.

        clips: [batch, samples] int16, synthetic. truth: [batch, controls]. rows: [batch], the
        indices of the clips, which only augmentations need.
        """
        if extractor.training and rows is not None:
            clips = clips.float()
            for augmentation in self._augmentations:
                clips, truth, rows = augmentation(clips, truth, rows)
        reading: Reading = extractor.read(self.inputs(clips))  # type: ignore[operator]
        return self.of(reading, truth)

    def inputs(self, clips: torch.Tensor) -> torch.Tensor:
        """Return the features of the clips, augmented anew."""
        with torch.no_grad():
            return self._features.compute(self._features.augment(clips.float()))

    def of(self, reading: Reading, truth: torch.Tensor) -> torch.Tensor:
        # The second term moves the scale alone: it adds its slope, but not its value, so the loss
        # stays that of the labels.
        unsure = laplace_loss(reading.labels, reading.scale, truth)
        return _LOSSES[self._loss](reading.each, truth.unsqueeze(1).expand_as(reading.each)) + (
            unsure - unsure.detach()
        )

"""What the labels of synthetic clips should make small."""

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
"""Clips [batch, samples] float, their controls [batch, controls], and which clips they are [batch]
-> other clips whose controls are known, theirs, and which clips these were; perhaps fewer."""


class SupervisedLoss:
    """The labels' distance from the truth, and how well the spread tells of it."""

    def __init__(
        self,
        features: Features,
        loss: Literal["l1", "mse"],
        augmentations: Sequence[Augmentation] = (),
    ) -> None:
        """augmentations: of the clips in training, one after the other."""
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
        """clips: [batch, samples] int16, synthetic. truth: [batch, controls]. rows: [batch], which
        clips they are; only augmentations need to know."""
        if extractor.training and rows is not None:
            clips = clips.float()
            for augmentation in self._augmentations:
                clips, truth, rows = augmentation(clips, truth, rows)
        reading: Reading = extractor.read(self.inputs(clips))  # type: ignore[operator]
        return self.of(reading, truth)

    def inputs(self, clips: torch.Tensor) -> torch.Tensor:
        """-> features of the clips, augmented afresh."""
        with torch.no_grad():
            return self._features.compute(self._features.augment(clips.float()))

    def of(self, reading: Reading, truth: torch.Tensor) -> torch.Tensor:
        # The second term moves the spread alone: it adds its slope, but not its value, so the loss
        # stays that of the labels.
        unsure = laplace_loss(reading.labels, reading.spread, truth)
        return _LOSSES[self._loss](reading.each, truth.unsqueeze(1).expand_as(reading.each)) + (
            unsure - unsure.detach()
        )

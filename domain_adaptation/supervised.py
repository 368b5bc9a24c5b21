"""What the labels of synthetic clips should make small."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn

from domain_adaptation.extractor_network import Reading
from domain_adaptation.features import Features
from domain_adaptation.intervals import laplace_loss
from domain_adaptation.scaling import some_slowed
from texturelib.controls import Control

_LOSSES = {"l1": nn.functional.l1_loss, "mse": nn.functional.mse_loss}


class SupervisedLoss:
    """The labels' distance from the truth, and how well the spread tells of it."""

    def __init__(self, features: Features, loss: Literal["l1", "mse"]) -> None:
        self._features = features
        self._loss = loss

    def __call__(self, extractor: nn.Module, clips: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """clips: [batch, samples] int16, synthetic. truth: [batch, controls]."""
        reading: Reading = extractor.read(self.inputs(clips))  # type: ignore[operator]
        return self.of(reading, truth)

    def inputs(self, clips: torch.Tensor) -> torch.Tensor:
        """-> features of the clips, disturbed afresh."""
        with torch.no_grad():
            return self._features.compute(self._features.disturb(clips.float()))

    def of(self, reading: Reading, truth: torch.Tensor) -> torch.Tensor:
        # The second term moves the spread alone: it adds its slope, but not its value, so the loss stays that of the labels.
        unsure = laplace_loss(reading.labels, reading.spread, truth)
        return _LOSSES[self._loss](reading.labels, truth) + (unsure - unsure.detach())


class SlowedLoss(SupervisedLoss):
    """The same, but in training half of the clips are played slower or faster, with the controls that they have then."""

    def __init__(
        self, features: Features, loss: Literal["l1", "mse"], controls: Sequence[Control], slow_down: tuple[float, float]
    ) -> None:
        super().__init__(features, loss)
        self._controls = controls
        self._slow_down = slow_down

    def __call__(self, extractor: nn.Module, clips: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        if extractor.training:
            clips, truth = some_slowed(clips.float(), truth, self._controls, *self._slow_down)
        return super().__call__(extractor, clips, truth)

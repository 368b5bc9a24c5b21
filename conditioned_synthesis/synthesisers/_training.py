"""The default training of a synthesiser."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from conditioned_synthesis.data.split import SplitSounds
from texturelib.errors import UsageError
from texturelib.learning.schedule import Schedule
from texturelib.learning.trainable import Batch, Group, Losses, Trainable

_MOST_VALIDATION_CLIPS = 64


class SynthesiserTraining(Trainable):
    """Training on random parts of random clips, each batch drawn from (seed, its number) alone,
    with one optimizer, Adam, for the whole network.

    Subclasses change what is different, mostly `groups` and `losses`; see `Trainable` for what each
    method is asked for.
    """

    methods = ("losses",)

    def __init__(
        self,
        network: Any,
        clips: SplitSounds,
        seed: int,
        batch_size: int,
        lr: float,
        schedule: Schedule = "constant",
        gradient_norm: float | None = None,
    ) -> None:
        """Prepare the training.

        Args:
            network: a TrainedByParts, or what the subclass wants.
            clips: what it learns from.
            seed: of all random numbers.
            batch_size: number of clips in a batch, of all processes together.
            lr: the highest learning rate.
            schedule: how the learning rate runs.
            gradient_norm: longer gradients are clipped to this; None leaves them.

        Errors: UsageError when the clips are too short.
        """
        self.module: nn.Module = network
        self.clips = clips
        self._seed = seed
        self._batch_size = batch_size
        self._lr = lr
        self._schedule: Schedule = schedule
        self._gradient_norm = gradient_norm
        if clips.sounds.n_samples < self.n_samples:
            raise UsageError(
                f"synthesiser: a step of training reads {self.n_samples} samples, but the clips have {clips.sounds.n_samples}; "
                "let it read fewer"
            )

    @property
    def n_samples(self) -> int:
        """The number of samples of a clip that a step reads."""
        return self.module.n_samples  # type: ignore[return-value]

    def groups(self) -> Mapping[str, Group]:
        optimizer = torch.optim.Adam(self.module.parameters(), lr=self._lr)
        return {"network": Group(optimizer, self._schedule, self._gradient_norm)}

    def batch(self, number: int, mine: slice) -> Batch:
        """Return a training batch.

        -> audio [batch, n_samples] or [batch, n_samples, channels], controls [batch, n_samples,
        n_controls].
        """
        rows, starts = self.clips.drawn(self._batch_size, self.n_samples, [self._seed, number])
        audio, controls = self.clips.sounds.batch(rows[mine], starts[mine], self.n_samples)
        return audio[:, 1:], controls

    def validation(self, mine: slice) -> Iterable[Batch]:
        """The beginnings of held-out clips, at most 64 of them, in one batch."""
        rows = self.validation_rows[mine]
        if len(rows):
            audio, controls = self.clips.sounds.batch(
                rows, np.zeros(len(rows), dtype=np.int64), self.n_samples
            )
            yield audio[:, 1:], controls

    @property
    def validation_rows(self) -> np.ndarray:
        return self.clips.held_out[:_MOST_VALIDATION_CLIPS]

    def losses(self, module: nn.Module, batch: Batch, group: str) -> Losses:
        return module.losses(*batch)  # type: ignore[operator]

    def seed(self, number: int) -> int | None:
        return self._seed * 1_000_003 + number

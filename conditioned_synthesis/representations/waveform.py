"""Sounds as they are."""

from collections.abc import Iterable
from typing import ClassVar, Literal

import torch

from conditioned_synthesis.representations._base import (
    Representation,
    Transform,
    representations,
)

_QUIETEST_PEAK = 1e-4


@representations.register
class Waveform(Representation):
    """The samples themselves, the highest of the clips being 1."""

    keeps_phase: ClassVar[bool] = True
    type: Literal["waveform"] = "waveform"

    def transform(self, sample_rate: int) -> "WaveformTransform":
        return WaveformTransform()


class WaveformTransform(Transform):
    """Samples: [batch, samples] -> [batch, 1, samples]."""

    def __init__(self) -> None:
        super().__init__(("samples",), None, 1)

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        return audio[:, None]

    def synthesise(self, values: torch.Tensor) -> torch.Tensor:
        return values[:, 0]

    @torch.no_grad()
    def learn(self, sounds: Iterable[torch.Tensor]) -> None:
        # By the peak, as a sound's clicks are many deviations high.
        peak = max(float(audio.abs().max()) for audio in sounds)
        self.scale.fill_(max(peak, _QUIETEST_PEAK))

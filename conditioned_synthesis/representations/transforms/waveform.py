"""Sounds as they are, as a transform."""

from collections.abc import Iterable

import torch

from conditioned_synthesis.representations.transforms.base import Transform

_QUIETEST_PEAK = 1e-4


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

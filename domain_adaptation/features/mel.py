"""The thesis's features: a mel spectrogram in decibels, scaled to 0..1."""

import functools
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import PositiveFloat, PositiveInt

from domain_adaptation.features._base import features
from domain_adaptation.features._noise import LowNoise
from texturelib.config import Config
from texturelib.errors import UsageError

if TYPE_CHECKING:
    import torch
    import torchaudio


@features.register
class Mel(Config):
    """[batch, 1, n_mels, frames]: each clip's loudest cell is 1, what is `top_db` below it is 0."""

    type: Literal["mel"] = "mel"
    sample_rate: PositiveInt = 32000
    """Clips are resampled to this rate first."""
    n_fft: PositiveInt = 400
    hop_length: PositiveInt = 200
    n_mels: PositiveInt = 56
    top_db: PositiveFloat = 80.0
    noise: LowNoise | None = LowNoise()
    """What is added to synthetic clips, or null."""

    def disturb(self, clip: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        return clip if self.noise is None else self.noise.add(clip, sample_rate, rng)

    def compute(self, clips: "torch.Tensor", sample_rate: int) -> "torch.Tensor":
        from domain_adaptation.features._waveforms import peak_normalised, resampled

        waveforms = resampled(peak_normalised(clips), sample_rate, self.sample_rate)
        if self.n_fft // 2 >= waveforms.shape[-1]:
            raise UsageError(
                f"features.n_fft: {self.n_fft} is too long for clips of {waveforms.shape[-1]} samples at {self.sample_rate} Hz"
            )
        power = _transform(self.sample_rate, self.n_fft, self.hop_length, self.n_mels)(waveforms)
        power = power - power.amin(dim=(-2, -1), keepdim=True)
        power = power / power.amax(dim=(-2, -1), keepdim=True)
        # The loudest cell is at 0 dB now, so the floor is the same for every clip.
        decibels = 10 * power.clamp(min=1e-10).log10()
        decibels = decibels.clamp(min=-self.top_db)
        raised = decibels + decibels.amin(dim=(-2, -1), keepdim=True).abs()
        return (raised / raised.amax(dim=(-2, -1), keepdim=True)).unsqueeze(1)


@functools.lru_cache(maxsize=4)
def _transform(sample_rate: int, n_fft: int, hop_length: int, n_mels: int) -> "torchaudio.transforms.MelSpectrogram":
    import torchaudio

    return torchaudio.transforms.MelSpectrogram(
        sample_rate=sample_rate, n_fft=n_fft, hop_length=hop_length, n_mels=n_mels, normalized=True
    )

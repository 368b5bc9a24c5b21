"""Embeddings of short sounds, for judges that no training knows.

They share neither shapes nor random numbers with any loss.
"""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import conv2d

from conditioned_synthesis.dsp.mel import mel_bands

_QUIETEST = 1e-5  # of full scale, -100 dB
_SEED = 7121


class PatchStatistics:
    """Embeds a sound as statistics of its log-mel spectrogram: the mean and the deviation of each
    band, how much it changes from one frame to the next and over a tenth of a second, and how much
    it differs from the band above."""

    def __init__(self, sample_rate: int) -> None:
        self._mel = _LogMel(sample_rate, seconds=0.032, n_mels=64)

    def __call__(self, sounds: np.ndarray) -> np.ndarray:
        """Return embeddings. sounds: [sounds, samples] -> [sounds, dimensions]."""
        mels = self._mel(sounds)
        slow = self._mel.frames_in(0.1)
        parts = [
            mels.mean(2),
            mels.std(2),
            mels.diff(dim=2).abs().mean(2),
            (mels[..., slow:] - mels[..., :-slow]).abs().mean(2),
            mels.diff(dim=1).abs().mean(2),
        ]
        return torch.cat(parts, dim=1).numpy()


class RandomFeatures:
    """Embeds a sound as the means and deviations of what a random convolutional network of two
    layers finds in its log-mel spectrogram, in four ranges of frequency."""

    def __init__(self, sample_rate: int) -> None:
        self._mel = _LogMel(sample_rate, seconds=0.024, n_mels=56)
        generator = torch.Generator().manual_seed(_SEED)
        self._first = torch.randn(32, 1, 5, 5, generator=generator) / 5
        self._second = torch.randn(64, 32, 3, 3, generator=generator) / np.sqrt(32 * 9)

    def __call__(self, sounds: np.ndarray) -> np.ndarray:
        """Return embeddings. sounds: [sounds, samples] -> [sounds, dimensions]."""
        mels = (self._mel(sounds) + 6) / 2  # about as wide as the filters' own numbers
        hidden = nn.functional.leaky_relu(conv2d(mels[:, None], self._first, stride=(2, 1)))
        features = conv2d(hidden, self._second, stride=(1, 2)).relu()
        ranges = torch.tensor_split(features, 4, dim=2)
        parts = [each.mean((2, 3)) for each in ranges] + [each.std((2, 3)) for each in ranges]
        return torch.cat(parts, dim=1).numpy()


class _LogMel:
    """The logarithm of a mel spectrogram, of magnitudes; windows lie a quarter apart."""

    def __init__(self, sample_rate: int, seconds: float, n_mels: int) -> None:
        self._n_fft = 4 * round(seconds * sample_rate / 4)
        self._rate = sample_rate
        self._window = torch.hann_window(self._n_fft)
        self._bands = mel_bands(sample_rate, self._n_fft, n_mels)

    def frames_in(self, seconds: float) -> int:
        return round(seconds * self._rate / (self._n_fft // 4))

    def __call__(self, sounds: np.ndarray) -> torch.Tensor:
        """Return [sounds, mels, frames]. sounds: [sounds, samples]."""
        spectrum = torch.stft(
            torch.from_numpy(np.ascontiguousarray(sounds, dtype=np.float32)),
            self._n_fft,
            self._n_fft // 4,
            window=self._window,
            center=False,
            return_complex=True,
        )
        magnitude = spectrum.abs() * (2 / self._window.sum())
        return (self._bands @ magnitude + _QUIETEST).log()

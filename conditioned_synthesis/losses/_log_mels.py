"""Logarithmic mel spectrograms at several resolutions."""

import torch
from torch import nn

from conditioned_synthesis.dsp.mel import mel_bands

_SECONDS, _N_MELS = (0.016, 0.064, 0.256), (40, 80, 160)
_QUIETEST = 1e-5  # of full scale, -100 dB


class LogMels(nn.Module):
    """The logarithms of mel spectrograms, of magnitudes, at three resolutions in time: windows of
    about 16, 64 and 256 ms, a quarter of it apart, with 40, 80 and 160 bands.

    Args:
        sample_rate: of the sounds, in Hz.
        n_samples: of each sound; a window is no longer than that.
        n_resolutions: how many of these, the fastest first.
    """

    def __init__(self, sample_rate: int, n_samples: int, n_resolutions: int = 3) -> None:
        super().__init__()
        self.n_mels = _N_MELS[:n_resolutions]
        # As many windows per second at any sample rate.
        self._n_ffts = [
            4 * max(1, min(round(seconds * sample_rate / 4), n_samples // 4))
            for seconds in _SECONDS[:n_resolutions]
        ]
        for index, (n_fft, n_mels) in enumerate(zip(self._n_ffts, self.n_mels, strict=True)):
            window = torch.hann_window(n_fft)
            self.register_buffer(f"window_{index}", window / window.sum() * 2, persistent=False)
            bands = mel_bands(sample_rate, n_fft, n_mels)
            self.register_buffer(f"bands_{index}", bands, persistent=False)

    def forward(self, audio: torch.Tensor) -> list[torch.Tensor]:
        """Return one spectrogram per resolution. audio: [batch, samples] -> [batch, mels,
        frames]."""
        spectrograms = []
        for index, n_fft in enumerate(self._n_ffts):
            window = self.get_buffer(f"window_{index}")
            spectrum = torch.stft(
                audio, n_fft, n_fft // 4, window=window, center=False, return_complex=True
            )
            # A root with a gradient also at 0.
            magnitude = (spectrum.real**2 + spectrum.imag**2 + _QUIETEST**2).sqrt()
            spectrograms.append((self.get_buffer(f"bands_{index}") @ magnitude).log())
        return spectrograms

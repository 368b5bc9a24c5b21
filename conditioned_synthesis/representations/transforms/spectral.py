"""The short-time Fourier transform that spectral representations share: framed so that a sound of
whole hops has as many frames as hops, and the highest bin, half the rate, left out."""

import torch
from torch.nn.functional import pad

from conditioned_synthesis.representations.transforms.base import Transform

QUIETEST = 1e-5
"""Magnitude, of a spectrum whose window has the sum 1, that silence is taken for: -100 dBFS."""


class SpectralTransform(Transform):
    """A transform by way of complex spectra. Subclasses turn spectra into values and back."""

    window: torch.Tensor

    def __init__(self, parts: tuple[str, ...], n_fft: int, hop_length: int) -> None:
        super().__init__(parts, n_fft // 2, hop_length)
        self.n_fft = n_fft
        # Hamming's, as its ends are not zero: so every sample can be made of one frame alone.
        window = torch.hamming_window(n_fft)
        self.register_buffer("window", window / window.sum(), persistent=False)

    def spectra(self, audio: torch.Tensor) -> torch.Tensor:
        """Return the spectra of sounds: [batch, samples] -> complex [batch, bins, frames]."""
        n_frames = -(-audio.shape[1] // self.hop_length)
        before = (self.n_fft - self.hop_length) // 2
        after = (n_frames - 1) * self.hop_length + self.n_fft - before - audio.shape[1]
        spectra = torch.stft(
            pad(audio, (before, after)),
            self.n_fft,
            self.hop_length,
            window=self.window,
            center=False,
            return_complex=True,
        )
        return spectra[:, :-1]

    def sounds(self, spectra: torch.Tensor) -> torch.Tensor:
        """Return the sounds whose spectra are nearest to these, by their squares (D. Griffin and
        J. Lim, 1984, eq. 6): complex [batch, bins, frames] -> [batch, frames * hop_length]."""
        n_frames = spectra.shape[2]
        frames = torch.fft.irfft(pad(spectra, (0, 0, 0, 1)), self.n_fft, dim=1)
        length = (n_frames - 1) * self.hop_length + self.n_fft
        added = _overlap_add(frames * self.window[:, None], length, self.hop_length)
        squares = self.window.square()[None, :, None].expand(1, -1, n_frames)
        weight = _overlap_add(squares, length, self.hop_length)
        before = (self.n_fft - self.hop_length) // 2
        within = slice(before, before + n_frames * self.hop_length)
        return added[:, within] / weight[:, within]


def log_of(spectra: torch.Tensor) -> torch.Tensor:
    """Return the log magnitudes of spectra, in nepers; no lower than QUIETEST, and with a gradient
    there too."""
    power = spectra.real.square() + spectra.imag.square()
    return 0.5 * (power + QUIETEST**2).log()


def polar(log_magnitudes: torch.Tensor, phases: torch.Tensor) -> torch.Tensor:
    """Return the spectra with these log magnitudes, in nepers, and phases, in radians."""
    return torch.polar(log_magnitudes.exp(), phases)


def phase_of(spectra: torch.Tensor) -> torch.Tensor:
    """Return phases, in radians. The phase of silence is 0, and has no gradient."""
    is_silent = spectra.abs() < QUIETEST / 100
    return torch.where(is_silent, torch.ones_like(spectra), spectra).angle()


def _overlap_add(frames: torch.Tensor, length: int, hop_length: int) -> torch.Tensor:
    """frames: [batch, n_fft, frames] -> [batch, length]."""
    added = torch.nn.functional.fold(
        frames, (1, length), (1, frames.shape[1]), stride=(1, hop_length)
    )
    return added[:, 0, 0]

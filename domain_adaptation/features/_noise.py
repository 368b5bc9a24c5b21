"""Noise that makes synthetic clips a little more like recordings."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from texturelib.config import Config

if TYPE_CHECKING:
    import torch


_THESIS_RATE = 44100  # Hz, at which the thesis drew its noise


class LowNoise(Config):
    """The thesis's noise: low-pass filtered, like that of wind and traffic in recordings.

    White Gaussian noise with a peak of `amount` times the clip's, at 44.1 kHz, through a
    second-order low-pass; both are drawn per clip. Its peak is taken before the low-pass, which
    leaves some 25 to 40 dB less than the clip's peak.
    """

    cutoff_hz: tuple[PositiveFloat, PositiveFloat] = (50.0, 400.0)
    """Range of the low-pass's cutoff frequency, in Hz."""
    amount: tuple[NonNegativeFloat, Annotated[float, Field(gt=0)]] = (0.2, 0.4)
    """Range of the noise's peak before the low-pass, relative to the clip's peak."""

    @model_validator(mode="after")
    def _in_order(self) -> "LowNoise":
        for name in ("cutoff_hz", "amount"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: [{low:g}, {high:g}] should be [low, high]")
        return self

    def check(self, sample_rate: int) -> None:
        """Check that the cutoff lies below half the sample rate. Errors: ValueError when it does
        not."""
        if self.cutoff_hz[1] >= sample_rate / 2:
            raise ValueError(
                f"noise.cutoff_hz: {self.cutoff_hz[1]:g} should be under half of sample_rate, {sample_rate / 2:g}"
            )

    def add(self, clips: "torch.Tensor", sample_rate: int) -> "torch.Tensor":
        """Return the clips with noise added.

        clips: [batch, samples], none silent -> the same shape, each with a peak of 1.
        """
        import torch

        from domain_adaptation.data.waveforms import peak_normalised
        from domain_adaptation.training.augment.draws import (
            peak_of_white_noise,
            uniform,
            white_spectrum,
        )

        n_samples = clips.shape[-1]
        gain = _low_pass(uniform(*self.cutoff_hz, clips), sample_rate, n_samples)
        # Drawn where it is filtered. Its peak is drawn apart: the low-pass leaves so little of the
        # noise that this does not tell.
        level = uniform(*self.amount, clips) * (n_samples / 2) ** 0.5 / peak_of_white_noise(clips)
        level = level * (sample_rate / _THESIS_RATE) ** 0.5  # as much of it per Hz
        noise = torch.fft.irfft(white_spectrum(clips) * (gain * level), n_samples)
        return peak_normalised(peak_normalised(clips) + noise)


class WithNoise(Config):
    """Base class of features whose synthetic clips may get noise."""

    sample_rate: Annotated[int, Field(ge=1, le=384000)] = 32000
    """Sample rate that clips are resampled to first, in Hz."""
    noise: LowNoise | None = LowNoise()
    """Noise added to synthetic clips, drawn anew each time that a clip is trained on; null adds
    none."""

    @model_validator(mode="after")
    def _noise_fits(self) -> "WithNoise":
        if self.noise:
            self.noise.check(self.sample_rate)
        return self

    def augment(self, clips: "torch.Tensor") -> "torch.Tensor":
        return clips if self.noise is None else self.noise.add(clips, self.sample_rate)


def _low_pass(cutoff_hz: "torch.Tensor", sample_rate: int, n_samples: int) -> "torch.Tensor":
    """Return the gain of the second-order low-pass at each frequency of a real FFT.

    cutoff_hz: [batch, 1] -> [batch, n_samples // 2 + 1]. Q is 0.707; the formula is that of R.
    Bristow-Johnson's Audio EQ Cookbook.
    """
    import torch

    w0 = 2 * torch.pi * cutoff_hz / sample_rate
    alpha = torch.sin(w0) / (2 * 0.707)
    # |H|^2 by the cookbook's own formula, in phi = sin^2(w / 2): exact, and without complex numbers.
    phi = torch.sin(torch.pi * torch.fft.rfftfreq(n_samples, device=cutoff_hz.device)).square()
    a0, a1, a2 = 1 + alpha, -2 * torch.cos(w0), 1 - alpha
    below = ((a0 + a1 + a2) / 2).square() - phi * (4 * a0 * a2 * (1 - phi) + a1 * (a0 + a2))
    return (1 - torch.cos(w0)) * (1 - phi) / below.sqrt()

"""The thesis's features: a mel spectrogram in decibels scaled to 0..1, or the power itself, which
its first networks were given."""

import functools
import math
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from domain_adaptation.features._base import features
from domain_adaptation.features._noise import WithNoise
from domain_adaptation.features._parts import a_few_at_a_time, as_prepared
from texturelib.errors import UsageError

if TYPE_CHECKING:
    import torch


@features.register
class Mel(WithNoise):
    """A mel spectrogram: [batch, 1, n_mels, frames]. Each clip's loudest cell is 1; `top_db` below
    it is 0.

    With `decibels` false it is the power itself, of clips whose peak was 1 before they were
    resampled.
    """

    type: Literal["mel"] = "mel"
    n_fft: Annotated[int, Field(ge=1, le=65536)] = 400
    """Length of the Fourier transform, in samples."""
    hop_length: PositiveInt = 200
    """Step from frame to frame, in samples."""
    n_mels: Annotated[int, Field(ge=1, le=1024)] = 56
    """Number of mel bands."""
    top_db: PositiveFloat = 80.0
    """Range of the decibels below the loudest cell that 0..1 stands for."""
    remove_mean: bool = True
    """Whether a clip's offset (DC), which is no sound, is removed first; the thesis left it in."""
    decibels: bool = True
    """Whether the power is converted to decibels; the thesis's first networks were given the power
    itself."""

    @property
    def highest_hz(self) -> float:
        return self.sample_rate / 2

    @a_few_at_a_time
    def compute(self, clips: "torch.Tensor") -> "torch.Tensor":
        import torch

        from domain_adaptation.data.waveforms import without_mean

        if self.n_fft // 2 >= clips.shape[-1]:
            raise UsageError(
                f"features.n_fft: {self.n_fft} is too long for clips of {clips.shape[-1]} samples at {self.sample_rate} Hz"
            )
        if not self.decibels:
            clips = as_prepared(clips)
        if self.remove_mean:
            clips = without_mean(clips)
        window, bands = (
            part.to(clips.device)
            for part in _window_and_bands(self.sample_rate, self.n_fft, self.n_mels)
        )
        # torch.stft, without putting time last in between: that is where most of its time goes.
        padded = torch.nn.functional.pad(clips, (self.n_fft // 2, self.n_fft // 2), mode="reflect")
        spectrum = torch.view_as_real(
            torch.fft.rfft(padded.unfold(1, self.n_fft, self.hop_length) * window)
        )
        power = (spectrum.flatten(2).square() @ bands).transpose(1, 2)
        if not self.decibels:
            return (power / window.square().sum()).unsqueeze(1)  # torchaudio's `normalized`
        power = power - power.amin(dim=(-2, -1), keepdim=True)
        power = power / power.amax(dim=(-2, -1), keepdim=True)
        # The loudest cell is at 0 dB now, so the floor is the same for every clip.
        decibels = 10 * power.clamp(min=1e-10).log10()
        decibels = decibels.clamp(min=-self.top_db)
        raised = decibels + decibels.amin(dim=(-2, -1), keepdim=True).abs()
        return (raised / raised.amax(dim=(-2, -1), keepdim=True)).unsqueeze(1)


@functools.lru_cache(maxsize=4)
def _window_and_bands(
    sample_rate: int, n_fft: int, n_mels: int
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Return the window of the Fourier transform, and the mel bands.

    -> [n_fft]; [n_fft + 2, n_mels], triangles on the HTK mel scale, from 0 Hz to half the sample
    rate, for the real and then the imaginary part of each frequency.
    """
    import torch

    frequencies = torch.linspace(0, sample_rate // 2, n_fft // 2 + 1)[:, None]
    highest = 2595 * math.log10(1 + sample_rate / 2 / 700)
    edges = 700 * (10 ** (torch.linspace(0, highest, n_mels + 2) / 2595) - 1)
    widths = edges.diff()
    rise = (frequencies - edges[:-2]) / widths[:-1]
    fall = (edges[2:] - frequencies) / widths[1:]
    bands = torch.minimum(rise, fall).clamp(min=0)
    return torch.hann_window(n_fft), bands.repeat_interleave(2, dim=0)

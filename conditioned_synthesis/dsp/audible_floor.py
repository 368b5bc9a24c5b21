"""A quiet noise below which bands of a sound are not heard beside its loudest."""

import torch
from torch import nn

from conditioned_synthesis.dsp.equal_loudness import as_heard_db
from conditioned_synthesis.dsp.filterbank import Bands

_BELOW_DB = 60.0
_LOW_HZ, _LEAST_HZ = 50.0, 20.0
_N_BANDS = 24


class AudibleFloor(nn.Module):
    """Adds the same noise to a sound and to what it is compared with, in each band 60 dB below the
    loudest band of the latter, as loud as they are heard.

    Without it, what is compared of sounds of few bands is mostly the rest: clicks at a clip's ends,
    far below all that is heard, in which sounds differ by tens of decibels.

    Args:
        sample_rate: of the sounds, in Hz.
        n_samples: of each sound.
    """

    gains: torch.Tensor
    noise: torch.Tensor

    def __init__(self, sample_rate: int, n_samples: int) -> None:
        super().__init__()
        bands = Bands(sample_rate, _N_BANDS, _LOW_HZ)
        bins_hz = torch.arange(n_samples // 2 + 1, dtype=torch.float64) * sample_rate / n_samples
        heard = 10 ** (torch.from_numpy(as_heard_db(bins_hz.clamp_min(_LEAST_HZ).numpy())) / 20)
        # The power of a band as it is heard is the product of these and of the sound's spectrum.
        gains = (bands.responses(bins_hz) * heard).square() * 2
        generator = torch.Generator().manual_seed(0)
        parts = torch.randn(2, len(bins_hz), generator=generator, dtype=torch.float64)
        density = 1 / (24.7 * (1 + 0.00437 * bins_hz))  # as strong in each band
        spectrum = torch.complex(*parts) * density.sqrt() / heard
        loudest = (gains @ spectrum.abs().square()).max()
        noise = torch.fft.irfft(spectrum / loudest.sqrt(), n_samples, norm="forward")
        self.register_buffer("gains", gains.float(), persistent=False)
        self.register_buffer("noise", noise.float(), persistent=False)

    def forward(
        self, audio: torch.Tensor, target: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return both with the noise, of each pair as loud as the target asks.

        audio, target: [batch, n_samples] or [batch, n_samples, channels] -> the same.
        """
        power = torch.fft.rfft(target.detach(), dim=1, norm="forward").abs().square()
        if power.ndim == 3:
            power = power.mean(2)
        loudest = (power @ self.gains.T).amax(1).sqrt() * 10 ** (-_BELOW_DB / 20)
        noise = loudest[:, None] * self.noise
        noise = noise if audio.ndim == 2 else noise[:, :, None]
        return audio + noise, target + noise

"""A spectrogram with logarithmically spaced bands."""

import functools
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PositiveFloat, model_validator

from domain_adaptation.features._base import features
from domain_adaptation.features._noise import LowNoise, WithNoise
from domain_adaptation.features._parts import a_few_at_a_time
from domain_adaptation.features._randomise import Randomise

if TYPE_CHECKING:
    import torch


@features.register
class LogBands(WithNoise):
    """The logarithm of the power in each band, relative to the clip's own: [batch, 1, n_bands,
    frames].

    A sound that is played slower moves down by the same number of bands, whatever its pitch. Keep
    the highest band well under half of `sample_rate`, so that no edge of a resampled recording's
    spectrum comes into view. Each band is cut out of the spectrum of the whole clip and transformed
    back, so that wide bands are fine in time and narrow ones in pitch (the constant-Q transform by
    way of the FFT: G. A. Velasco et al., "Constructing an invertible constant-Q transform with
    nonstationary Gabor frames", DAFx 2011; here only its power is wanted).
    """

    type: Literal["log_bands"] = "log_bands"
    n_bands: Annotated[int, Field(ge=2, le=1024)] = 96
    """Number of bands, from `low_hz` to `high_hz`."""
    low_hz: PositiveFloat = 40.0
    high_hz: PositiveFloat = 11000.0
    frames_per_second: Annotated[int, Field(ge=1, le=10000)] = 64
    """Number of frames per second."""
    narrowest_hz: PositiveFloat = 12.0
    """Smallest width of a band, as `widest_hz` is the greatest, in Hz; between these a band is
    `overlap` steps to the next band wide."""
    widest_hz: PositiveFloat = 500.0
    """Greatest width of a band, in Hz."""
    overlap: PositiveFloat = 3.0
    """Width of a band in steps to the next band, within `narrowest_hz` and `widest_hz`."""
    floor_db: Annotated[float, Field(lt=0)] = -70.0
    """Lowest level that counts, in dB relative to the clip's mean power in a band."""
    noise: LowNoise | None = None
    """Noise added to synthetic clips, drawn anew each time that a clip is trained on, as is
    `randomise`; null adds none."""
    randomise: Randomise | None = None
    """Random rooms, microphones and background noise for synthetic clips; null leaves them as the
    engine made them."""

    @model_validator(mode="after")
    def _fits(self) -> "LogBands":
        for low, high, most in (
            ("low_hz", "high_hz", self.sample_rate / 2),
            ("narrowest_hz", "widest_hz", self.sample_rate / 4),
        ):
            if not getattr(self, low) < getattr(self, high) < most:
                raise ValueError(
                    f"{low}, {high}: {getattr(self, low):g}, {getattr(self, high):g} should rise, to under {most:g}"
                )
        return self

    @property
    def highest_hz(self) -> float:
        step = (self.high_hz / self.low_hz) ** (1 / (self.n_bands - 1)) - 1
        return self.high_hz + 0.5 * min(
            self.widest_hz, max(self.narrowest_hz, self.overlap * self.high_hz * step)
        )

    def augment(self, clips: "torch.Tensor") -> "torch.Tensor":
        return super().augment(
            self.randomise.apply(clips, self.sample_rate) if self.randomise else clips
        )

    @a_few_at_a_time
    def compute(self, clips: "torch.Tensor") -> "torch.Tensor":
        import torch

        n_frames = max(1, round(clips.shape[-1] / self.sample_rate * self.frames_per_second))
        spectrum = torch.fft.rfft(clips)
        powers = []
        for bins, window in _bands(
            self.sample_rate,
            clips.shape[-1],
            n_frames,
            self.n_bands,
            self.low_hz,
            self.high_hz,
            self.narrowest_hz,
            self.widest_hz,
            self.overlap,
        ):
            # Not divided by the length of the transform, which differs from band to band.
            bands = torch.fft.ifft(
                spectrum[:, bins.to(clips.device)] * window.to(clips.device), norm="forward"
            )
            power = bands.real.square() + bands.imag.square()
            powers.append(torch.nn.functional.adaptive_avg_pool1d(power, n_frames))
        power = torch.cat(powers, dim=1)
        mean = power.mean(dim=(-2, -1), keepdim=True)
        decibels = 10 * (power / mean + 10 ** (self.floor_db / 10)).log10()
        # Most textures then have a mean near 0 and a deviation near 1.
        return ((decibels + 40.0) / 25.0).unsqueeze(1)


@functools.lru_cache(maxsize=8)
def _bands(
    sample_rate: int,
    n_samples: int,
    n_frames: int,
    n_bands: int,
    low_hz: float,
    high_hz: float,
    narrowest_hz: float,
    widest_hz: float,
    overlap: float,
) -> "list[tuple[torch.Tensor, torch.Tensor]]":
    """Return, for groups of bands from the lowest to the highest, the bins of a clip's spectrum
    that make up each band, and their weights.

    Each group: bins [bands, points], weights of the same shape. Hann windows around the bands'
    centres, scaled so that white noise has the same power in all of them.
    """
    import numpy as np
    import torch

    bins_per_hz = n_samples / sample_rate
    centres = np.geomspace(low_hz, high_hz, n_bands)
    widths = np.clip(overlap * centres * (centres[1] / centres[0] - 1), narrowest_hz, widest_hz)
    # Two points to a frame, or as many as the band's width wants: with the widest band's for all,
    # it takes half as long again.
    n_points = 2 ** np.ceil(np.log2(np.maximum(2 * n_frames, widths * bins_per_hz))).astype(int)
    last = n_samples // 2
    groups = []
    for n in np.unique(n_points):
        centre, width = centres[n_points == n, None], widths[n_points == n, None]
        bins = np.round(centre * bins_per_hz).astype(int) + np.arange(-n // 2, n // 2)
        distance = (bins / bins_per_hz - centre) / width
        window = np.where(np.abs(distance) < 0.5, np.cos(np.pi * distance) ** 2, 0.0) / np.sqrt(
            width
        )
        window[(bins < 0) | (bins > last)] = 0.0
        groups.append(
            (torch.from_numpy(np.clip(bins, 0, last)), torch.from_numpy(window.astype(np.float32)))
        )
    return groups

"""How dense a recording is, by the law of adding: no network, and nothing to learn.

The powers of independent events add, and so do the variances of their envelopes: the relative
variance of the envelope of n layers of a recording is 1/n of that of one, as long as single events
stand out. What does not stand out is noise, whose envelope fluctuates too; by how much is measured
on the same clips with random phases, and taken away. The negative logarithm of what is left, here
called the density, rises by ln n, exactly, for any sound whose events can be heard at all.
"""

from dataclasses import dataclass

import numpy as np
import torch

from domain_adaptation.features.log_bands import LogBands

_N_BANDS, _BANDS_OF_A_GROUP = 96, 12
_FRAMES_PER_SECOND = 96
_LEAST_EXCESS = 2e-3


@dataclass(frozen=True)
class Density:
    """The density of a sound, as a logarithm; stands_out: the variance of its envelope, divided by
    that of noise with the same spectrum, which is 1 where no event is heard."""

    log_density: float
    stands_out: float


def density(clips: torch.Tensor, sample_rate: int) -> Density:
    """Return the density of a recording. clips: [clips, samples] of it, of equal loudness."""
    power, variance, of_noise = (each.mean(axis=0) for each in _envelopes(clips, sample_rate))
    excess, stands_out = _compared(power, variance, of_noise)
    return Density(float(excess), float(stands_out))


def densities(clips: torch.Tensor, sample_rate: int) -> np.ndarray:
    """Return the logarithm of the density of each of many sounds, [clips].

    clips: [clips, samples], each a sound of its own.
    """
    return _compared(*_envelopes(clips, sample_rate))[0]


def _compared(
    power: np.ndarray, variance: np.ndarray, of_noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the density and how far events stand out. All arguments [..., groups]."""
    # The loudest group would else have all the say, and it is often a hum or rumble.
    weight = np.sqrt(power)
    weight = weight / weight.sum(axis=-1, keepdims=True) / np.square(power)
    found, noise = (weight * variance).sum(axis=-1), (weight * of_noise).sum(axis=-1)
    return -np.log(np.maximum(found - noise, _LEAST_EXCESS)), found / noise


def _envelopes(clips: torch.Tensor, sample_rate: int) -> tuple[np.ndarray, ...]:
    """Return the mean power of each group of bands, the variance of its envelope, and that of noise
    with the clip's spectrum.

    -> three times [clips, groups].
    """
    features = LogBands(
        sample_rate=sample_rate,
        n_bands=_N_BANDS,
        low_hz=40.0,
        high_hz=min(11000.0, 0.23 * sample_rate),
        frames_per_second=_FRAMES_PER_SECOND,
    )
    generator = torch.Generator().manual_seed(0)
    spectrum = torch.fft.rfft(clips)
    phases = torch.rand(spectrum.shape, generator=generator) * (2 * torch.pi)
    noise = torch.fft.irfft(torch.polar(spectrum.abs(), phases), clips.shape[1])
    power = _power(features, clips)
    return power.mean(axis=2), power.var(axis=2), _power(features, noise).var(axis=2)


def _power(features: LogBands, clips: torch.Tensor) -> np.ndarray:
    """Return the power in wide groups of bands over time, [clips, groups, frames]: the wider a band,
    the less the envelope of its noise fluctuates."""
    decibels = features.compute(clips)[:, 0].numpy().astype(np.float64) * 25.0 - 40.0
    power = 10 ** (decibels / 10)
    return power.reshape(len(power), -1, _BANDS_OF_A_GROUP, power.shape[2]).sum(axis=2)

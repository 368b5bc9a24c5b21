"""Random textures, to learn the laws from: all that is known of them is how they change when they
are played slower."""

import torch

from domain_adaptation.training.augment.draws import (
    Pitches,
    from_db,
    log_uniform,
    uniform,
    white_spectrum,
)

_GRAINS_PER_SECOND = 3.0, 30000.0
_PINK = -3.0  # dB per octave


def textures(n_clips: int, n_samples: int, sample_rate: int, device: torch.device) -> torch.Tensor:
    """Return random textures: noise and grains with random spectra.

    -> [n_clips, n_samples]. Each spectrum varies around that of pink noise, from nearly flat to
    rugged.
    """
    clips = torch.empty(n_clips, n_samples, device=device)
    pitches = Pitches(clips, sample_rate)
    chance = log_uniform(*_GRAINS_PER_SECOND, clips) / sample_rate
    grains = torch.fft.rfft(
        torch.randn_like(clips) * (torch.rand_like(clips) < chance) / chance.sqrt()
    )
    spectrum = _shaped(white_spectrum(clips) * (n_samples / 2) ** 0.5, pitches)
    return torch.fft.irfft(
        spectrum + from_db(uniform(-20.0, 20.0, clips)) * _shaped(grains, pitches), n_samples
    )


def _shaped(spectrum: torch.Tensor, pitches: Pitches) -> torch.Tensor:
    response = pitches.equaliser_db(3.0, 6.0) + pitches.corners_db(0.5) + _PINK * pitches.octaves
    return spectrum * pitches.gain(response)

"""The objective of adaptation by slow-down: synthetic clips with labels, and real clips whose
labels must move as the laws say."""

import numpy as np
import torch
from torch import nn

from domain_adaptation.adaptation.methods._textures import textures
from domain_adaptation.adaptation.task import Problem, Stateless
from domain_adaptation.data.sets import controls_of
from domain_adaptation.models.extractor import Reading
from domain_adaptation.training.augment.draws import Pitches, from_db, happens, uniform
from domain_adaptation.training.augment.slow_down import (
    Slowing,
    most_slow_down,
    slow_down_slopes,
    slowed_by_chance,
)
from texturelib.errors import TextureError

_LIMITS_HZ = (2500.0, 9000.0), (20.0, 80.0)
_GROUP = 8  # clips of a step that are played at the same two speeds


class SlowDown(Stateless):
    """The supervised loss, plus how far the labels of real clips are from moving as the laws
    say."""

    def __init__(
        self,
        problem: Problem,
        *,
        slow_down: tuple[float, float],
        synthetic_batch_size: int,
        weight: float,
        mean_weight: float,
        chance_of_pink: float,
        textures: float,
    ) -> None:
        """Prepare the objective; the arguments are the settings of `ScalingLaw`.

        Errors: TextureError when no control has a law, or when the features reach too high in
        frequency.
        """
        self._problem = problem
        self._labelled = problem.labelled
        self._slow_down, self._synthetic_batch_size = slow_down, synthetic_batch_size
        self._weight, self._mean_weight = weight, mean_weight
        self._chance_of_pink, self._share_of_textures = chance_of_pink, textures
        self._controls = controls_of(problem.model.spec.controls)
        slopes = slow_down_slopes(self._controls)
        self._known = np.flatnonzero(np.isfinite(slopes))
        if not len(self._known) or not np.nanmax(np.abs(slopes)):
            raise TextureError(
                'adaptation.type: "scaling_law" needs an engine that says how its controls move when a sound is slowed down; '
                "none of these does; take another method"
            )
        most = most_slow_down(problem.features)
        if slow_down[1] > most:
            raise TextureError(
                f"adaptation.slow_down: {slow_down[1]:g} times slower, the spectrum of clips at "
                f"{problem.features.sample_rate} Hz ends below {problem.features.highest_hz:.0f} Hz, which these features hear; "
                f'it should be at most {most:.3g}, or the features should be "log_bands" that end lower'
            )
        # Where a control has no law, nobody would know what a slowed clip's controls are.
        low, high = slow_down
        self._slowing = (
            Slowing(self._controls, (low**0.5, high**0.5))
            if len(self._known) == len(self._controls)
            else None
        )
        self._slopes = torch.from_numpy(slopes[self._known])
        # A control that hardly moves by its law would be best off not to move at all: it should not
        # lead.
        self._weights = (self._slopes / self._slopes.abs().max()).square().clamp(min=0.1)

    def __call__(self, extractor: nn.Module, real: torch.Tensor) -> torch.Tensor:
        problem = self._problem
        rows = torch.randint(len(self._labelled), (self._synthetic_batch_size,)).numpy()
        clips, truth = (tensor.to(real.device) for tensor in self._labelled.batch(rows))
        with torch.no_grad():
            speeds, factors = self._at_two_speeds(self._varied(self._and_textures(real.float())))
            if self._slowing:
                clips, truth, _ = self._slowing(
                    clips.float(), truth, torch.from_numpy(rows).to(real.device)
                )
            inputs = torch.cat([problem.supervised.inputs(clips), problem.features.compute(speeds)])
        reading: Reading = extractor.read(inputs)  # type: ignore[operator]
        synthetic = Reading(*(tensor[: len(clips)] for tensor in reading))
        # What is left of a label when its clip's slow-down is taken out must be the same at both
        # speeds.
        labels = (
            reading.labels[len(clips) :, self._known] - self._slopes.to(real.device) * factors.log()
        )
        first, second = labels.chunk(2)
        weights = self._weights.to(real.device)
        law = ((first - second).abs() * weights).mean()
        # Labels are noisy, and an absolute value prefers no movement to a movement in the noise:
        # their mean must move too.
        law_of_the_mean = ((first - second).mean(dim=0).abs() * weights).mean()
        return (
            problem.supervised.of(synthetic, truth)
            + self._weight * law
            + self._mean_weight * law_of_the_mean
        )

    def _and_textures(self, real: torch.Tensor) -> torch.Tensor:
        """Return as many clips as `real` has, the last of them random textures instead of
        recordings."""
        n_textures = round(self._share_of_textures * len(real))
        if n_textures == 0:  # no Fourier transform takes none
            return real
        drawn = textures(
            n_textures, real.shape[-1], self._problem.features.sample_rate, real.device
        )
        return torch.cat([real[n_textures:], drawn])

    def _varied(self, real: torch.Tensor) -> torch.Tensor:
        """Return the clips varied at random: some mixed with another, most equalised."""
        real = real / _rms(real)
        share = happens(0.4, real) * from_db(uniform(-20.0, 0.0, real))
        real = real + share * real[torch.randperm(len(real), device=real.device)]
        pitches = Pitches(real, self._problem.features.sample_rate)
        spectrum = torch.fft.rfft(real)
        shaped = (
            pitches.equaliser_db(4.0, 6.0)
            + pitches.corners_db(0.3)
            + pitches.band_limits_db(0.3, *_LIMITS_HZ)
        )
        # A sound whose every octave is equally loud gives its size away by nothing but its grain.
        flat = pitches.towards_pink_db(spectrum) * uniform(0.7, 1.0, real) + pitches.equaliser_db(
            1.5, 3.0
        )
        response = torch.where(happens(self._chance_of_pink, real) > 0, flat, shaped) * happens(
            0.8, real
        )
        return torch.fft.irfft(spectrum * pitches.gain(response), real.shape[-1])

    def _at_two_speeds(self, real: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the clips played at two random speeds.

        -> [2 x batch, samples]: all clips at one speed each, then all at another; [2 x batch, 1],
        the exact slow-downs.
        """
        speeds: list[list[torch.Tensor]] = [[], []]
        factors: list[list[torch.Tensor]] = [[], []]
        for group in real.split(_GROUP):
            for side, ends in enumerate(self._ranges()):
                clips, exact = slowed_by_chance(group, *ends)
                speeds[side].append(clips)
                factors[side].append(torch.full((len(group), 1), exact, device=real.device))
        return torch.cat(speeds[0] + speeds[1]), torch.cat(factors[0] + factors[1])

    def _ranges(self) -> list[tuple[float, float]]:
        """Return the ranges of the two slow-downs of a pair: the lowest two fifths of the whole
        range for one, the highest two fifths for the other."""
        low, high = self._slow_down
        part = (high / low) ** 0.4
        return [(low, low * part), (high / part, high)]


def _rms(clips: torch.Tensor) -> torch.Tensor:
    return clips.square().mean(dim=1, keepdim=True).sqrt().clamp(min=1e-9)

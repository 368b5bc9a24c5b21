"""Texture statistics: differentiable statistics of cochlear envelopes that describe how a texture
sounds.

J. McDermott and E. Simoncelli, "Sound texture perception via statistics of the auditory periphery",
Neuron 71, 2011.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import torch
from torch import nn
from torch.nn.functional import pad

from conditioned_synthesis.dsp.audible_floor import AudibleFloor
from conditioned_synthesis.dsp.filterbank import Cochlea, half_cosines
from texturelib.errors import UsageError
from texturelib.nearest import did_you_mean

_BATCH = 16  # sounds at a time, where sets of any size are compared

# Of an envelope's squared mean, and of its variance: below it, it is steady, or has no such
# modulation, and nothing is divided by the little that rounding leaves.
_STEADY = 1e-6
_UNMODULATED = 1e-4

# How far two clips of one texture lie apart by chance (root mean square, of what `_comparable`
# gives), and which share of two textures' squared difference is more than chance. Medians over
# pairs of 1 s clips of seven recordings of water, rain, fire and wind, at 16 and 44.1 kHz, with
# this module's defaults.
_CHANCE_AND_TELLING = {
    "level_db": (1.4, 0.99),
    "variation": (0.0053, 0.80),
    "skewness": (0.24, 0.82),
    "kurtosis": (0.17, 0.68),
    "correlations": (0.087, 0.62),
    "modulation_power": (0.031, 0.29),
    "modulation_correlations": (0.355, 0.24),
    "modulation_phases": (0.30, 0.12),
}
_ALL_TELLING = sum(telling for _, telling in _CHANCE_AND_TELLING.values())
# TexStat (Gutierrez and Wyse, DAFx 2025) weighs all but the moments by 20. That is mostly the
# chance in a second of slow modulations, and leaves the levels so little that a network which was
# trained on it alone did not learn the spectrum.
WEIGHTS = {
    name: telling / chance / _ALL_TELLING for name, (chance, telling) in _CHANCE_AND_TELLING.items()
}
"""Weights of the statistics in the loss, by what each tells of a texture, so that two clips of one
texture lie about 1 apart."""
# Of that chance: the unit of a statistic which the sounds of a reference set share exactly.
_LEAST_SPREAD = 0.25


_Comparable = dict[str, torch.Tensor]


class Statistics(NamedTuple):
    """The statistics of each sound of a batch. All but the level are the same at any gain, well
    above the cochlea's floor of -100 dBFS.

    The moments are those of the whole envelopes, the others those of their part up to the highest
    modulation frequency.
    """

    level_db: torch.Tensor
    """[batch, bands]: mean of the envelope, in dB of full scale; a gain of 6 dB is 6 dB more at any
    compression."""
    variation: torch.Tensor
    """[batch, bands]: variance of the envelope over its squared mean."""
    skewness: torch.Tensor
    """[batch, bands]: skewness of the envelope."""
    kurtosis: torch.Tensor
    """[batch, bands]: kurtosis of the envelope, 3 for a Gaussian."""
    correlations: torch.Tensor
    """[batch, bands, bands]: correlation of each band's envelope with each other's, -1..1."""
    modulation_power: torch.Tensor
    """[batch, bands, modulations]: shares of the envelope's variance in modulation bands half an
    octave apart, about 1 in all."""
    modulation_correlations: torch.Tensor
    """[batch, pairs, octaves], the paper's C1: correlations of the envelopes of neighbouring bands,
    then of next but one, in modulation bands an octave apart."""
    modulation_phases: torch.Tensor
    """[batch, bands, octaves - 1, 2], the paper's C2: how a modulation correlates with the one an
    octave above it, real and imaginary part. It tells sharp attacks from sharp ends."""


class TextureStatistics(nn.Module):
    """The statistics of sounds of one length, a loss between sounds, and distances between sets of
    them.

    >>> texture = TextureStatistics(sample_rate=16000, n_samples=16000)
    >>> statistics = texture(0.1 * torch.randn(2, 16000))
    >>> statistics.level_db.shape, statistics.modulation_power.shape
    (torch.Size([2, 24]), torch.Size([2, 24, 13]))

    Args:
        sample_rate, n_samples, n_bands, low_hz, high_hz, compression: see `Cochlea`; three bands or
            more.
        lowest_modulation_hz, highest_modulation_hz: the centres of the first and, as far as whole
            octaves go, the last modulation band. A sound should last for two periods of the lowest.
        weights: of the loss, for statistics that should have another than in WEIGHTS.
        enough_hz: see `Cochlea`. 4,096 changes the statistics of a second of sound by less than a
            twentieth of what two clips of one texture differ by.
    """

    modulation_filters: torch.Tensor
    octave_filters: torch.Tensor

    def __init__(
        self,
        sample_rate: int,
        n_samples: int,
        n_bands: int = 24,
        low_hz: float = 50.0,
        high_hz: float | None = None,
        compression: float = 0.3,
        lowest_modulation_hz: float = 2.0,
        highest_modulation_hz: float = 128.0,
        weights: Mapping[str, float] | None = None,
        enough_hz: float | None = None,
    ) -> None:
        super().__init__()
        seconds = n_samples / sample_rate
        if not 0 < 2 * lowest_modulation_hz <= highest_modulation_hz:
            raise UsageError(
                f"modulations from {lowest_modulation_hz:g} to {highest_modulation_hz:g} Hz should span an octave or more"
            )
        n_octaves = math.floor(math.log2(highest_modulation_hz / lowest_modulation_hz))
        top_hz = lowest_modulation_hz * 2 ** (n_octaves + 1)  # where the last of the octaves ends
        if top_hz > sample_rate / 2:
            raise UsageError(
                f"modulations up to {highest_modulation_hz:g} Hz are too fast for sounds at {sample_rate} Hz"
            )
        if seconds * lowest_modulation_hz < 2:
            raise UsageError(
                f"a sound of {seconds:g} s is too short for modulations of {lowest_modulation_hz:g} Hz: two periods take "
                f"{2 / lowest_modulation_hz:g} s"
            )
        if n_bands < 3:
            raise UsageError(
                f"{n_bands} band(s) are too few; it takes three to compare each with the next but one"
            )
        for name in weights or {}:
            if name not in WEIGHTS:
                raise UsageError(
                    f"weights: {name}: no such statistic {did_you_mean(name, list(WEIGHTS))}"
                )
        self.weights = {**WEIGHTS, **(weights or {})}
        self.cochlea = Cochlea(
            sample_rate, n_samples, n_bands, low_hz, high_hz, compression, top_hz, enough_hz
        )

        bins_hz = torch.arange(1, math.ceil(top_hz * seconds), dtype=torch.float64) / seconds
        octaves = torch.arange(n_octaves + 1, dtype=torch.float64)
        half_octaves = torch.arange(2 * n_octaves + 1, dtype=torch.float64) / 2
        self.modulations_hz = (lowest_modulation_hz * 2**half_octaves).tolist()
        places = torch.log2(bins_hz / lowest_modulation_hz)
        self.register_buffer(
            "modulation_filters", half_cosines(places, half_octaves).float(), persistent=False
        )
        self.register_buffer(
            "octave_filters", half_cosines(places, octaves).float(), persistent=False
        )
        self._octave_tops = [int(torch.nonzero(octave)[-1]) + 1 for octave in self.octave_filters]

    def forward(self, audio: torch.Tensor) -> Statistics:
        """Return the statistics of sounds. audio: [batch, n_samples].

        A sound's statistics depend on no other of the batch.
        """
        return self._statistics(audio)[0]

    def _statistics(self, audio: torch.Tensor) -> tuple[Statistics, torch.Tensor]:
        """Return the statistics, and the spectra of the envelopes, whose products are their
        correlations, [batch, bands, 2 * bins]."""
        n_bins = self.octave_filters.shape[1]
        means, powers, spectra = zip(
            *(_Summary.apply(envelope, n_bins) for envelope in self.cochlea(audio)), strict=True
        )
        level_db = 20 / self.cochlea.compression * torch.log10(torch.stack(means, dim=1))
        variation, skewness, kurtosis = _moments(torch.stack(powers, dim=-1))
        spectrum = torch.stack(spectra, dim=1)
        spectrum = spectrum / (_power(spectrum).sum(-1, keepdim=True) + _STEADY).sqrt()

        # From here all envelopes have variance 1. By Parseval's theorem, no sum over time is needed
        # but for the phases.
        parts = torch.view_as_real(spectrum).flatten(-2)
        power = _power(spectrum)
        octaves = self.octave_filters.square().T
        octave_power = power @ octaves + _UNMODULATED
        modulation_correlations = [
            (parts[:, apart:] * parts[:, :-apart]).unflatten(-1, (-1, 2)).sum(-1)
            @ octaves
            / (octave_power[:, apart:] * octave_power[:, :-apart]).sqrt()
            for apart in (1, 2)
        ]
        statistics = Statistics(
            level_db=level_db,
            variation=variation,
            skewness=skewness,
            kurtosis=kurtosis,
            correlations=parts @ parts.mT,
            modulation_power=power @ self.modulation_filters.square().T,
            modulation_correlations=torch.cat(modulation_correlations, dim=1),
            modulation_phases=self._phases(spectrum, octave_power),
        )
        return statistics, parts

    def _phases(self, spectrum: torch.Tensor, octave_power: torch.Tensor) -> torch.Tensor:
        """Return the paper's C2.

        spectrum: [batch, bands, bins from 1 up]. octave_power: [batch, bands, octaves].
        """
        phases = []
        for lower, top in enumerate(self._octave_tops[1:]):
            slow, fast = (
                torch.fft.ifft(
                    pad(spectrum[..., :top] * filters[:top], (1, 0)), n=2 * top, norm="forward"
                )
                for filters in self.octave_filters[lower : lower + 2]
            )
            # At twice the frequency, and as large as before: now it stands still against the octave
            # above it.
            doubled = slow.square() * (_power(slow) + _UNMODULATED**2).rsqrt()
            together = torch.view_as_real(doubled.conj() * fast).mean(-2)
            phases.append(
                together
                / (octave_power[..., lower] * octave_power[..., lower + 1]).sqrt()[..., None]
            )
        return torch.stack(phases, dim=2)

    def loss(self, audio: torch.Tensor, target: torch.Tensor | Statistics) -> torch.Tensor:
        """Return how far sounds are from their targets, a scalar, 0 where they agree.

        audio: [batch, n_samples] or [batch, n_samples, channels]. target: as many sounds, or, of
        one channel, their statistics.

        The root mean square difference of each kind of statistic, by its weight, summed; then the
        mean over the batch. Two clips of one texture are about 1 apart by chance, which is as low
        as a synthesiser gets that does not know its target by heart. Of more channels it is the
        mean, and how differently the envelopes of neighbouring channels correlate, by the weight
        that the correlations of bands have.
        """
        if audio.ndim == 3:
            return self._loss_of_channels(audio, cast("torch.Tensor", target))
        theirs = target if isinstance(target, Statistics) else self._statistics(target)[0]
        return self._difference(self._statistics(audio)[0], theirs)

    def _loss_of_channels(self, audio: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        n_channels = audio.shape[2]
        (ours, our_parts), (theirs, their_parts) = (
            self._statistics(each.movedim(2, 1).flatten(0, 1)) for each in (audio, target)
        )
        our_relations, their_relations = (
            (channels[:, 1:] * channels[:, :-1]).sum(-1)
            for channels in (
                parts.unflatten(0, (-1, n_channels)) for parts in (our_parts, their_parts)
            )
        )
        between = _root_mean_square(our_relations - their_relations).mean()
        return self._difference(ours, theirs) + self.weights["correlations"] * between

    def _difference(self, of_ours: Statistics, of_theirs: Statistics) -> torch.Tensor:
        ours, theirs = _comparable(of_ours), _comparable(of_theirs)
        parts = [
            weight * _root_mean_square(ours[name] - theirs[name])
            for name, weight in self.weights.items()
        ]
        return torch.stack(parts).sum(0).mean()

    def distance(
        self, sounds: torch.Tensor, reference: torch.Tensor, unit: torch.Tensor | None = None
    ) -> float:
        """Return how far apart the mean statistics of two sets of sounds are.

        sounds: [any number, n_samples]. reference: [two or more, n_samples].

        Each in units of its standard deviation over the reference set, or over the set `unit`,
        averaged within its kind, then over the kinds. Not symmetric: the reference says what is
        much. Sets of n and m sounds of one texture are about 0.8 * sqrt(1/n + 1/m) apart by chance.
        Whatever the controls of the sounds are, only their mean counts; see `paired_distance`.
        """
        ours, theirs, units = self._measure(sounds, reference, unit)
        return _mean_of_kinds(
            {name: (ours[name].mean(0) - theirs[name].mean(0)) / units[name] for name in units}
        )

    def paired_distance(
        self, sounds: torch.Tensor, reference: torch.Tensor, unit: torch.Tensor | None = None
    ) -> float:
        """Return the mean distance of pairs of sounds, in the units of `distance`.

        sounds, reference: [two or more, n_samples], the i-th of both made with the same controls.

        So sounds that follow their controls are nearer than the same sounds in another order. Two
        clips of one texture are about 1.1 apart where all of the reference is that texture, and
        less where it has more than one.
        """
        if len(sounds) != len(reference):
            raise UsageError(f"{len(sounds)} sounds and {len(reference)} of reference are no pairs")
        ours, theirs, units = self._measure(sounds, reference, unit)
        return _mean_of_kinds({name: (ours[name] - theirs[name]) / units[name] for name in units})

    @torch.no_grad()
    def _measure(
        self, sounds: torch.Tensor, reference: torch.Tensor, unit: torch.Tensor | None
    ) -> tuple[_Comparable, _Comparable, _Comparable]:
        """Return the statistics of all sounds, those of the reference, and the unit of each
        statistic."""
        if len(sounds) < 1 or len(reference if unit is None else unit) < 2 or len(reference) < 1:
            raise UsageError(
                f"{len(sounds)} sound(s) and {len(reference)} of reference are too few; it takes one and two"
            )
        ours, theirs = self._of_all(sounds), self._of_all(reference)
        of_unit = theirs if unit is None else self._of_all(unit)
        least = {name: _LEAST_SPREAD * chance for name, (chance, _) in _CHANCE_AND_TELLING.items()}
        return (
            ours,
            theirs,
            {name: each.std(0).clamp_min(least[name]) for name, each in of_unit.items()},
        )

    def _of_all(self, sounds: torch.Tensor) -> _Comparable:
        return _comparable(
            Statistics(*map(torch.cat, zip(*map(self, sounds.split(_BATCH)), strict=True)))
        )


class TextureDifference(TextureStatistics):
    """`TextureStatistics` that is called as its loss, of what can be heard."""

    def __init__(self, sample_rate: int, n_samples: int, **settings: Any) -> None:
        super().__init__(sample_rate, n_samples, **settings)
        self._floor = AudibleFloor(sample_rate, n_samples)

    def forward(self, audio: torch.Tensor, target: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return self.loss(*self._floor(audio, target))


class _Summary(torch.autograd.Function):
    """What of an envelope is wanted: its mean; the mean second, third and fourth powers of what it
    is relative to that, less one; the spectrum of this, whose squares add up to the second.

    envelope: [batch, samples] -> [batch], [3, batch], [batch, n_bins], from the first bin above 0
    on.

    The gradient is written out by hand, as trainings spend much of their time here: torch's own
    has five times as many steps for each of the bands.
    """

    @staticmethod
    def forward(
        ctx: Any, envelope: torch.Tensor, n_bins: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        mean = envelope.mean(-1, keepdim=True)
        relative = (envelope / mean).sub_(1)
        square = relative.square()
        powers = [square.mean(-1), (square * relative).mean(-1), square.square().mean(-1)]
        # The root of 2, as the positive frequencies are half of all.
        spectrum = torch.fft.rfft(relative, norm="forward")[:, 1 : n_bins + 1] * math.sqrt(2)
        ctx.save_for_backward(mean, relative, square)
        return mean[:, 0], torch.stack(powers), spectrum

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: Any, of_mean: torch.Tensor, of_powers: torch.Tensor, of_spectrum: torch.Tensor
    ) -> tuple[torch.Tensor, None]:
        mean, relative, square = ctx.saved_tensors
        n_samples = relative.shape[1]
        second, third, fourth = of_powers[..., None] / n_samples
        slope = torch.fft.irfft(
            pad(of_spectrum * (math.sqrt(2) / 2 / n_samples), (1, 0)), n_samples, norm="forward"
        )
        slope += (4 * fourth * square + 2 * second).mul_(relative).addcmul_(square, 3 * third)
        inward = torch.linalg.vecdot(slope, relative + 1) / n_samples
        slope -= inward[:, None]
        return slope.div_(mean).add_(of_mean[:, None] / n_samples), None


def _moments(powers: torch.Tensor) -> torch.Tensor:
    """Return variance, skewness and kurtosis; those of a steady envelope are 0.

    powers: [3, ...], the mean second, third and fourth powers of what is of mean 0 -> [3, ...].
    """
    variance, third, fourth = powers
    steadied = variance + _STEADY
    return torch.stack([variance, third / steadied**1.5, fourth / steadied**2])


def _power(spectrum: torch.Tensor) -> torch.Tensor:
    """Return the squared magnitude, with a gradient also at 0."""
    return spectrum.real.square() + spectrum.imag.square()


def _comparable(statistics: Statistics) -> _Comparable:
    """Return the statistics by name, scaled for comparison.

    Those without bounds are taken nearly as logarithms: one click in an empty band has a kurtosis
    of thousands.
    """
    values = statistics._asdict()
    return values | {name: values[name].asinh() for name in ("skewness", "kurtosis")}


def _root_mean_square(difference: torch.Tensor) -> torch.Tensor:
    """Return the root mean square of each row, with a gradient also at 0.

    difference: [batch, ...] -> [batch].
    """
    least = 1e-6
    return (difference.flatten(1).square().mean(1) + least**2).sqrt() - least


def _mean_of_kinds(differences: _Comparable) -> float:
    return float(torch.stack([each.abs().mean() for each in differences.values()]).mean())

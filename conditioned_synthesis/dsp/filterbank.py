"""A cochlear filterbank: the envelopes of bands that are as wide as those of hearing."""

import math
from typing import Any, cast

import torch
from scipy.fft import next_fast_len
from torch import nn

from texturelib.errors import UsageError

_SILENCE = 1e-5  # an envelope's floor, -100 dBFS: what rounding to 16 bits leaves is no texture


class Cochlea(nn.Module):
    """Half-cosine bands, evenly spaced on the ERB scale, and their envelopes (McDermott and
    Simoncelli, Neuron 71, 2011).

    The squares of the bands' responses add up to one from low_hz to high_hz, the centres of the
    first and the last band. A sound is taken as going round: where its end does not meet its
    beginning, there is a click.

    Args:
        sample_rate: of the sounds, in Hz.
        n_samples: of each sound.
        n_bands: two or more.
        high_hz: centre of the last band; None: the highest that leaves the last band whole.
        compression: the exponent of the envelopes, as hearing has one; 1: none.
        highest_envelope_hz: an envelope has at least two samples for each period of it.
        enough_hz: an envelope that would have more samples per second than this has no more of
            them than its band is wide in Hz, if these are enough; None: twice as many, which hold
            all of it.
    """

    filters: torch.Tensor

    def __init__(
        self,
        sample_rate: int,
        n_samples: int,
        n_bands: int = 24,
        low_hz: float = 50.0,
        high_hz: float | None = None,
        compression: float = 0.3,
        highest_envelope_hz: float = 0.0,
        enough_hz: float | None = None,
    ) -> None:
        super().__init__()
        bands = Bands(sample_rate, n_bands, low_hz, high_hz)
        if not compression > 0:
            raise UsageError(f"a compression of {compression:g} should be above 0; 1 is none")
        self.n_samples, self.compression = n_samples, compression

        bins_hz = torch.arange(n_samples // 2 + 1, dtype=torch.float64) * sample_rate / n_samples
        filters = bands.responses(bins_hz)
        self.register_buffer("filters", filters.float(), persistent=False)
        self.centres_hz = bands.centres_hz

        self._spans, self.lengths = [], []
        for band in filters:
            inside = torch.nonzero(band)
            if not len(inside):
                raise UsageError(
                    f"a sound of {n_samples / sample_rate:g} s is too short for {n_bands} bands from {low_hz:g} Hz up"
                )
            first, last = int(inside[0]), int(inside[-1])
            self._spans.append((first, last + 1))
            # The square of an envelope reaches as far up as its band is wide, so twice as many
            # samples hold all of it. As many hold all but its fastest part, of which there is next
            # to nothing, and which then counts as slow.
            width = last + 1 - first
            samples = 2 * width
            if enough_hz is not None:
                samples = min(samples, max(width, round(enough_hz * n_samples / sample_rate)))
            least = max(samples, 2 * (math.ceil(highest_envelope_hz * n_samples / sample_rate) + 1))
            self.lengths.append(min(cast("int", next_fast_len(least, real=True)), n_samples))

    def forward(self, audio: torch.Tensor) -> list[torch.Tensor]:
        """Return the compressed envelopes of each band, [batch, fewer samples], above 0.

        audio: [batch, n_samples].

        Each band has a rate of its own. Its samples are those that the envelope at the sounds' rate
        would have at these moments: shifted down to 0 Hz, which changes no envelope, a band is a
        short spectrum.
        """
        if audio.ndim != 2 or audio.shape[1] != self.n_samples:
            raise UsageError(
                f"the sounds have the shape {list(audio.shape)}; it should be [batch, {self.n_samples}]"
            )
        envelopes = _CompressedEnvelopes.apply(
            audio, self.filters, self._spans, self.lengths, self.compression
        )
        return list(cast("tuple[torch.Tensor, ...]", envelopes))


class _CompressedEnvelopes(torch.autograd.Function):
    """The envelopes of all bands.

    The gradient is written out by hand, as trainings spend much of their time here: torch's own
    would fill a spectrum of all frequencies for each band and take powers twice.
    """

    @staticmethod
    def forward(
        ctx: Any,
        audio: torch.Tensor,
        filters: torch.Tensor,
        spans: list[tuple[int, int]],
        lengths: list[int],
        compression: float,
    ) -> tuple[torch.Tensor, ...]:
        spectrum = torch.fft.rfft(audio, norm="forward")
        saved, envelopes = [filters], []
        for band, (first, last), length in zip(filters, spans, lengths, strict=True):
            # Twice the positive frequencies alone: the analytic signal, whose magnitude is the
            # envelope.
            analytic = torch.fft.ifft(
                2 * spectrum[:, first:last] * band[first:last], n=length, norm="forward"
            )
            # The floor within the root keeps the gradient of silence finite.
            power = analytic.real.square().addcmul_(analytic.imag, analytic.imag)
            power += _SILENCE**2
            envelope = power.log().mul_(compression / 2).exp_()
            envelopes.append(envelope)
            saved += [analytic, envelope, power]
        ctx.save_for_backward(*saved)
        ctx.spans, ctx.compression, ctx.n_samples = spans, compression, audio.shape[1]
        return tuple(envelopes)

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: Any, *gradients: torch.Tensor
    ) -> tuple[torch.Tensor, None, None, None, None]:
        filters, *saved = ctx.saved_tensors
        batch, n_samples = len(gradients[0]), ctx.n_samples
        spectrum = saved[0].new_zeros(batch, n_samples // 2 + 1)
        for index, (gradient, (first, last)) in enumerate(zip(gradients, ctx.spans, strict=True)):
            analytic, envelope, power = saved[3 * index : 3 * index + 3]
            slope = (gradient * envelope).div_(power).mul_(ctx.compression)
            of_analytic = torch.fft.fft(analytic * slope)[:, : last - first]
            # 2 for the analytic signal, and half, as irfft counts each frequency twice.
            spectrum[:, first:last] += of_analytic * filters[index, first:last]
        if n_samples % 2 == 0:
            spectrum[:, -1] *= 2  # the one that irfft counts once
        return torch.fft.irfft(spectrum, n_samples), None, None, None, None


class Bands:
    """The half-cosine bands of `Cochlea`, for sounds of any length.

    high_hz: centre of the last band; None: the highest that leaves the last band whole.

    Errors: UsageError when they do not fit below half the sample rate.
    """

    def __init__(
        self, sample_rate: int, n_bands: int, low_hz: float, high_hz: float | None = None
    ) -> None:
        nyquist = sample_rate / 2
        if n_bands < 2:
            raise UsageError(f"{n_bands} band(s) are too few; two or more make a cochlea")
        if high_hz is None:
            step = (_erb_number(nyquist) - _erb_number(low_hz)) / n_bands
            high_hz = _frequency_hz(_erb_number(nyquist) - step)
        if not 0 < low_hz < high_hz <= nyquist:
            raise UsageError(
                f"bands from {low_hz:g} to {high_hz:g} Hz should lie within 0 and {nyquist:g} Hz, half the sample rate"
            )
        self.n_bands = n_bands
        self._centres = torch.linspace(
            _erb_number(low_hz), _erb_number(high_hz), n_bands, dtype=torch.float64
        )
        self.centres_hz = [_frequency_hz(centre) for centre in self._centres.tolist()]

    @property
    def first_erb(self) -> float:
        """The centre of the first band, as an ERB number."""
        return float(self._centres[0])

    @property
    def step_erb(self) -> float:
        """How far the centres of neighbours lie apart, in ERB numbers."""
        return float(self._centres[1] - self._centres[0])

    def responses(self, frequencies_hz: torch.Tensor) -> torch.Tensor:
        """Return the gain of each band, 0..1.

        frequencies_hz: [frequencies] float64 -> [bands, frequencies] float64. It is 0 at 0 Hz,
        since a constant is no sound.
        """
        shapes = half_cosines(21.4 * torch.log10(1 + 0.00437 * frequencies_hz), self._centres)
        return torch.where(frequencies_hz > 0, shapes, 0.0)


def half_cosines(places: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """Return the gain of half-cosine bands.

    places: [places]. centres: [bands], evenly spaced, on the same scale -> [bands, places].

    Each band falls from 1 at its centre to 0 at its neighbours'; the squares add up to one from the
    first to the last centre.
    """
    distance = (places - centres[:, None]).abs() / (centres[1] - centres[0])
    # Just under 1, so that a place at a neighbour's centre is outside, and no band is longer for a
    # rounding error.
    return torch.where(
        distance < 1 - 1e-9, torch.cos(math.pi / 2 * distance), torch.zeros_like(distance)
    )


def _erb_number(frequency_hz: float) -> float:
    """Return how many equivalent rectangular bandwidths lie below a frequency (B. Glasberg and B.
    Moore, 1990)."""
    return 21.4 * math.log10(1 + 0.00437 * frequency_hz)


def _frequency_hz(erb_number: float) -> float:
    return (10 ** (erb_number / 21.4) - 1) / 0.00437

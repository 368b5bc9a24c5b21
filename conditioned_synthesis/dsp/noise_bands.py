"""Noise bands with flat slow envelopes, the carriers that envelopes are multiplied with."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, cast

import numpy as np
import torch
from scipy.fft import next_fast_len

from conditioned_synthesis.dsp.filterbank import Bands

_SECONDS = 3.0  # of a band's noise before it comes again
_TRIES, _COHERENT_ENOUGH = 6, 0.02  # to make two channels as coherent as is wanted


@lru_cache(maxsize=4)
def carriers_of(
    sample_rate: int,
    n_bands: int,
    low_hz: float,
    envelope_hz: float,
    coherences: tuple[float, ...] | None = None,
    spectrum: tuple[float, ...] | None = None,
) -> "Carriers":
    """Return the `Carriers` of these bands, made once in a process.

    They are the same for all networks of these bands, coherences and spectrum.
    """
    bands = Bands(sample_rate, n_bands, low_hz)
    return Carriers(bands, sample_rate, envelope_hz, coherences, spectrum)


class Carriers:
    """A loop of noise per band, of root mean square 1, each of another length, so that together
    they do not repeat.

    Where a band is wider than the envelopes are fast, the fluctuations that these cannot make are
    left in; all slower ones are divided out, so that the envelope of a band is what is put on it.

    For two channels there are two loops per band, of one length, as coherent as is wanted.
    """

    def __init__(
        self,
        bands: Bands,
        sample_rate: int,
        envelope_hz: float,
        coherences: Sequence[float] | None = None,
        spectrum: Sequence[float] | None = None,
    ) -> None:
        """Make the loops.

        Args:
            envelope_hz: points of an envelope per second.
            coherences: of the two channels in each band, -1..1; None: there is one channel.
            spectrum: amplitudes that noise has within its band, evenly spaced from 0 Hz to half the
                sample rate; None: they are the same everywhere.
        """
        rng = np.random.default_rng(0)
        self.n_channels = 1 if coherences is None else 2
        channels: list[list[np.ndarray]] = [[] for _ in range(self.n_channels)]
        length = round(_SECONDS * sample_rate)
        ends_hz = [0.0, *bands.centres_hz, sample_rate / 2]
        for index in range(bands.n_bands):
            length = cast("int", next_fast_len(length + 1, real=True))
            bins_hz = np.arange(length // 2 + 1) * sample_rate / length
            is_inside = (bins_hz > ends_hz[index]) & (bins_hz < ends_hz[index + 2])
            shape = np.zeros(len(bins_hz))
            shape[is_inside] = bands.responses(torch.from_numpy(bins_hz[is_inside]))[index].numpy()
            if spectrum is not None:
                places_hz = np.linspace(0, sample_rate / 2, len(spectrum))
                shape *= np.interp(bins_hz, places_hz, spectrum)
            common = shape * (
                rng.standard_normal(len(shape)) + 1j * rng.standard_normal(len(shape))
            )
            flat = partial(_flat, length=length, bins_hz=bins_hz, envelope_hz=envelope_hz)
            if coherences is None:
                channels[0].append(flat(common))
                continue
            other = shape * (rng.standard_normal(len(shape)) + 1j * rng.standard_normal(len(shape)))
            for loops, loop in zip(
                channels, _coherent(common, other, flat, coherences[index]), strict=True
            ):
                loops.append(loop)
        loops = [loop for of_channel in channels for loop in of_channel]
        self._all = np.concatenate(loops)
        self.loops = [
            torch.from_numpy(each)
            for each in np.split(self._all, np.cumsum([len(loop) for loop in loops])[:-1])
        ]

    def draw(self, starts: torch.Tensor, n_samples: int) -> torch.Tensor:
        """Return noise of each band from a place in its loop on, one channel after the other.

        starts: [batch, bands], of any size -> [batch, channels * bands, n_samples].
        """
        rows = [
            torch.stack(
                [_turn(loop, start, n_samples) for loop, start in zip(self.loops, row, strict=True)]
            )
            for row in starts.repeat(1, self.n_channels).tolist()
        ]
        return torch.stack(rows)

    def put_on(self, envelopes: torch.Tensor, starts: torch.Tensor, hop: int) -> torch.Tensor:
        """Return what `put_on` makes of these envelopes and the noise that `draw` gives, without
        writing out that noise, and with a gradient to the envelopes.

        envelopes: [batch, frames + 1, channels * bands]. starts: [batch, bands] -> [batch, frames *
        hop], or [batch, frames * hop, 2].
        """
        lengths = np.array([len(loop) for loop in self.loops]).reshape(self.n_channels, -1)
        firsts = (np.cumsum(lengths) - lengths.ravel()).reshape(lengths.shape)
        ramp = (np.arange(hop) / hop).astype(np.float32)
        sounds = []
        for channel, of_channel in enumerate(envelopes.chunk(self.n_channels, dim=2)):
            places = starts.numpy() % lengths[channel]
            noise = (self._all, firsts[channel], lengths[channel], places, ramp)
            sounds.append(cast("torch.Tensor", _PutOn.apply(of_channel, noise)))
        return sounds[0] if self.n_channels == 1 else torch.stack(sounds, dim=2)


def put_on_channels(
    envelopes: torch.Tensor, carriers: torch.Tensor, n_channels: int
) -> torch.Tensor:
    """Return what `put_on` makes of each channel.

    envelopes: [batch, frames + 1, channels * bands]. carriers: [batch, channels * bands, frames *
    hop] -> [batch, frames * hop], or [batch, frames * hop, channels] of two or more.
    """
    if n_channels == 1:
        return put_on(envelopes, carriers)
    channels = zip(envelopes.chunk(n_channels, 2), carriers.chunk(n_channels, 1), strict=True)
    return torch.stack([put_on(*each) for each in channels], dim=2)


def put_on(envelopes: torch.Tensor, carriers: torch.Tensor) -> torch.Tensor:
    """Return the sum of the carriers, each multiplied with its envelope, which runs straight from
    frame to frame.

    envelopes: [batch, frames + 1, bands]. carriers: [batch, bands, frames * hop] -> [batch, frames
    * hop].
    """
    batch, n_frames, n_bands = len(envelopes), envelopes.shape[1] - 1, envelopes.shape[2]
    hop = carriers.shape[2] // n_frames
    cut = carriers.view(batch, n_bands, n_frames, hop).transpose(1, 2)
    ends = torch.stack([envelopes[:, :-1], envelopes[:, 1:]], dim=2)  # [batch, frames, 2, bands]
    first, last = (ends @ cut).unbind(2)
    ramp = torch.arange(hop, device=carriers.device) / hop
    return (first + (last - first) * ramp).reshape(batch, -1)


class _PutOn(torch.autograd.Function):
    """`Carriers.put_on`. noise: all that the functions in `_loops` are given but the first."""

    @staticmethod
    def forward(ctx: Any, envelopes: torch.Tensor, noise: tuple[Any, ...]) -> torch.Tensor:
        from conditioned_synthesis.dsp import _loops  # loads a compiler

        ctx.noise = noise
        ours = np.ascontiguousarray(envelopes.detach().cpu().numpy(), dtype=np.float32)
        return torch.from_numpy(_loops.sums(ours, *noise)).to(envelopes)

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: Any, gradient: torch.Tensor
    ) -> tuple[torch.Tensor, None]:
        from conditioned_synthesis.dsp import _loops

        ours = np.ascontiguousarray(gradient.cpu().numpy(), dtype=np.float32)
        return torch.from_numpy(_loops.slopes(ours, *ctx.noise)).to(gradient), None


def _turn(loop: torch.Tensor, start: int, n_samples: int) -> torch.Tensor:
    """Return [n_samples] of the loop from `start` on, repeated as often as needed."""
    begin = start % len(loop)
    if begin + n_samples <= len(loop):
        return loop[begin : begin + n_samples]
    turns = (begin + n_samples - 1) // len(loop)
    return torch.cat([loop[begin:], *[loop] * turns])[:n_samples]


def _coherent(
    common: np.ndarray,
    side: np.ndarray,
    flat: Callable[[np.ndarray], np.ndarray],
    wanted: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return two flat loops whose correlation is as wanted, each a sum of a common noise and one
    that goes in with opposite signs.

    common, side: their spectra. flat: see `_flat`.
    """

    def mixed(angle: float) -> tuple[np.ndarray, np.ndarray]:
        middle, apart = np.cos(angle) * common, np.sin(angle) * side
        return flat(middle + apart), flat(middle - apart)

    _, left, right = as_coherent(mixed, wanted)
    return left, right


def as_coherent(
    mixed: Callable[[float], tuple[np.ndarray, np.ndarray]], wanted: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the angle at which two loops have the wanted correlation, and the loops.

    mixed: makes the two of an angle, 0 to pi / 2, by whose cosine a common noise goes in, and by
    whose sine one with opposite signs; of root mean square 1. Were they mixed alone, the
    cosine of twice the angle would be their correlation; but they are flattened too, which makes them less
    alike.
    """

    def at(coherence: float) -> tuple[float, np.ndarray, np.ndarray]:
        angle = np.arccos(np.clip(coherence, -1.0, 1.0)) / 2
        return angle, *mixed(angle)

    angle, left, right = at(before := wanted)
    for _ in range(_TRIES):
        missing = wanted - float(np.mean(left * right))
        if abs(missing) < _COHERENT_ENOUGH:
            break
        angle, left, right = at(before := float(np.clip(before + missing, -1.0, 1.0)))
    return angle, left, right


def _flat(spectrum: np.ndarray, length: int, bins_hz: np.ndarray, envelope_hz: float) -> np.ndarray:
    """Return noise with this spectrum, without the slow part of its envelope, [length] float32."""
    loop = np.fft.irfft(spectrum, length) / _slow_envelope(
        spectrum, length, bins_hz, envelope_hz / 2
    )
    loop /= np.sqrt(np.mean(loop**2))
    return loop.astype(np.float32)


def _slow_envelope(
    spectrum: np.ndarray, length: int, bins_hz: np.ndarray, highest_hz: float
) -> np.ndarray:
    """Return the part of the envelope slower than `highest_hz`, [length], above 0."""
    whole = np.zeros(length, dtype=complex)
    whole[: len(spectrum)] = spectrum
    envelope = np.abs(np.fft.ifft(2 * whole))
    # Half a cosine, as a sharp edge rings, and rings through 0.
    lowpass = np.where(
        bins_hz < highest_hz, np.cos(np.pi / 2 * np.minimum(bins_hz / highest_hz, 1.0)), 0.0
    )
    slow = np.fft.irfft(np.fft.rfft(envelope) * lowpass, length)
    return np.maximum(slow, 0.05 * envelope.mean())

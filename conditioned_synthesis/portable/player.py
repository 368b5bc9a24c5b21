"""The player of portable instruments, in numpy: the one that players in other languages are
compared with, sample by sample.

It is written for reading, in the order in which web/core.js and the C header do the same.
"""

import math
from collections.abc import Mapping

import numpy as np

from conditioned_synthesis.portable.instrument_file import PortableInstrument
from conditioned_synthesis.portable.noise_loops import loops_of
from conditioned_synthesis.portable.random_numbers import NOISE, PLACE, hashes, normals
from conditioned_synthesis.portable.sliders import GlidingSliders

_FRAMES_AT_ONCE = 256
_CHANNELS = 2  # of a mono instrument, two draws of noise under the same envelopes


class PortablePlayer:
    """A `texenv` instrument that plays at any rate; a frame of envelopes need not be a whole number
    of samples."""

    def __init__(self, instrument: PortableInstrument, rate: float, seed: int = 0) -> None:
        """Make the noise, and begin with all sliders in their middle.

        Args:
            instrument: what the file holds.
            rate: samples per second.
            seed: 32 bits; another one gives another variation of the sound.
        """
        header = instrument.header
        self._header, self._seed = header, seed
        self._weights = {
            name: tensor.astype(np.float32) for name, tensor in instrument.tensors.items()
        }
        self._frame_hz = header["sample_rate"] / header["hop"]
        self._samples_per_frame = rate / self._frame_hz
        bands = header["bands"]
        self._loops, lengths = loops_of(header, rate)
        self._lengths = np.array(lengths)[:, None]
        # The two channels of a stereo instrument stay in step, as they are alike.
        draws = (0, 1) if header["channels"] == 1 else (0, 0)
        self._first_places = [
            hashes(seed, np.arange(bands["n"]), PLACE, draw)[:, None] % self._lengths
            for draw in draws
        ]
        self._noise = np.zeros((0, header["n_noises"]))
        self._sliders = GlidingSliders(header, self._frame_hz)
        self._states: list[np.ndarray] = []
        self._n_frames = 0  # made so far, those before the first sample included
        self._begin = 0  # the first sample of the frame that is being played
        self._n_played = 0  # frames
        self._left = np.zeros((0, _CHANNELS), dtype=np.float32)
        self._last = np.zeros(0)

    def set(self, name: str, position: float) -> None:
        """Move a slider: it glides there. position: on the slider, held within its trained
        range."""
        self._sliders.set(name, position)

    def render(self, n_samples: int) -> np.ndarray:
        """Return the next samples, [n_samples, 2] float32. A slider acts from the next frame on."""
        parts, n_there = [self._left], len(self._left)
        while n_there < n_samples:
            parts.append(self._frame())
            n_there += len(parts[-1])
        samples = np.concatenate(parts)
        self._left = samples[n_samples:]
        return samples[:n_samples]

    def _frame(self) -> np.ndarray:
        """Return the samples of the next frame, [samples, 2]."""
        if not self._states:
            self._sliders.jump()
            self._start()
        self._sliders.move()
        envelopes = self._envelopes()
        end = math.ceil((self._n_played + 1) * self._samples_per_frame)
        numbers = np.arange(self._begin, end)
        share = numbers / self._samples_per_frame - self._n_played
        gains = self._last[..., None] + (envelopes - self._last)[..., None] * share
        out = np.empty((len(numbers), _CHANNELS))
        for channel, first_places in enumerate(self._first_places):
            own = channel % len(gains)
            places = (first_places + numbers) % self._lengths
            noise = np.take_along_axis(self._loops[own], places, axis=1)
            out[:, channel] = (noise * gains[own]).sum(axis=0)
        self._begin, self._last = end, envelopes
        self._n_played += 1
        return out.astype(np.float32)

    def _start(self) -> None:
        """Begin as if the sound had been going on for as long as the network looks back."""
        channels = len(self._weights["enter.bias"])
        reach = [2 * 3**layer for layer in range(self._header["n_layers"])]
        self._states = [np.zeros((n_frames, channels), np.float32) for n_frames in reach]
        for _ in range(sum(reach) + 1):
            self._last = self._envelopes()

    def _envelopes(self) -> np.ndarray:
        """Return the envelopes at the end of the next frame, [channels, bands], as amplitudes."""
        weights = self._weights
        given = self._sliders.given()
        conditions = _silu(_linear(weights, "conditions.0", given))
        conditions = _silu(_linear(weights, "conditions.2", conditions))
        hidden = _linear(weights, "enter", self._next_noise())
        for index, state in enumerate(self._states):
            layer = f"layers.{index}"
            apart = 3**index
            seen = np.concatenate([state[0], state[apart], hidden])
            scale, shift = np.split(_linear(weights, f"{layer}.film", conditions), 2)
            new = _silu(_linear(weights, f"{layer}.look", seen) * (1 + scale) + shift)
            self._states[index] = np.concatenate([state[1:], hidden[None]])
            hidden = hidden + _linear(weights, f"{layer}.add", new)
        self._n_frames += 1
        reach = self._header["reach_nepers"]
        nepers = _linear(weights, "leave", hidden) + _linear(weights, "levels", conditions)
        levels = weights["mean_levels"].astype(np.float64) + reach * np.tanh(nepers / reach)
        return np.exp(levels).reshape(self._header["channels"], -1) * self._sliders.gain(given)

    def _next_noise(self) -> np.ndarray:
        """Return the noise of the next frame, [n_noises] float32; drawn for many frames at once."""
        place = self._n_frames % _FRAMES_AT_ONCE
        if place == 0:
            numbers = self._n_frames + np.arange(_FRAMES_AT_ONCE)
            drawn = [
                normals(self._seed, numbers, NOISE, item)[0]
                for item in range(self._header["n_noises"])
            ]
            self._noise = np.stack(drawn, axis=1).astype(np.float32)
        return self._noise[place]


def _linear(weights: Mapping[str, np.ndarray], name: str, values: np.ndarray) -> np.ndarray:
    return weights[f"{name}.weight"] @ values + weights[f"{name}.bias"]


def _silu(values: np.ndarray) -> np.ndarray:
    return values / (1 + np.exp(-values))

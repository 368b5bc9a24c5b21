"""The sound of an instrument while its sliders are moved."""

import math
from typing import Any, cast

import numpy as np

from conditioned_synthesis.instrument.instrument import Instrument
from conditioned_synthesis.portable.sliders import GLIDE_SECONDS, NEAR
from conditioned_synthesis.synthesisers import Player, SynthesisNetwork
from texturelib.controls import Control

SOFTEST_DB, LOUDEST_DB = -60.0, 12.0
"""The range of the volume; at its lower end, it is silent."""


class Voice:
    """An instrument with sliders that anyone may move at any time, rendered by one thread.

    Attributes:
        rate: samples per second, the instrument's own.
        n_channels: of the sound.
        names: of the sliders.
        positions: where each slider was moved to, within the range of its training.
        volume_db: 0 is as loud as the recordings.
        seed: of the sound that is playing.
    """

    def __init__(
        self, instrument: Instrument, seed: int = 0, volume_db: float = 0.0, **own: Any
    ) -> None:
        """Begin with all sliders in their middle. own: further arguments of the instrument's
        player."""
        self._instrument, self._own = instrument, own
        self.rate = float(instrument.spec.sample_rate)
        self.n_channels = instrument.spec.channels
        self.sliders = instrument.spec.sliders
        self.names = instrument.spec.names
        self.controls = [Control.from_description(each.control) for each in self.sliders]
        self.positions = [each.middle for each in self.sliders]
        self._places = np.array(self.positions)
        self.volume_db = 0.0
        self.set_volume(volume_db)
        self._gain = self._wanted_gain()
        self.seed = seed
        self._player = self._new_player(seed)
        self._next: Player | None = None

    def set(self, index: int, position: float) -> None:
        """Move a slider: it glides there. position: on the slider, 0..1, held within the range of
        its training. Errors: IndexError, ValueError where it is no number."""
        if not math.isfinite(position):
            raise ValueError(f"{position} is no position")
        slider = self.sliders[index]
        self.positions[index] = min(max(position, slider.low), slider.high)

    def set_physical(self, index: int, value: float) -> None:
        """Move a slider to a value in its unit; one that no position has is held within the range,
        too. Errors: as `set`."""
        control = self.controls[index]
        if not math.isfinite(value):
            raise ValueError(f"{value} is no value")
        ends = sorted((control.low, control.high))
        self.set(index, float(control.to_slider(min(max(value, ends[0]), ends[1]))))

    def set_volume(self, decibels: float) -> None:
        """Set the volume, held within SOFTEST_DB and LOUDEST_DB. Errors: ValueError where it is no
        number."""
        if math.isnan(decibels):
            raise ValueError(f"{decibels} is no volume")
        self.volume_db = min(max(decibels, SOFTEST_DB), LOUDEST_DB)

    def set_seed(self, seed: int) -> None:
        """Begin another variation of the sound, which the next block fades over to.

        What takes time is done here, not in the thread that renders.
        """
        player = self._new_player(seed)
        player.play(self._given(1, self._places.copy())[0])
        self.seed, self._next = seed, player

    def physical(self, index: int) -> float:
        """Return where a slider was moved to, in its unit."""
        return float(self.controls[index].to_physical(self.positions[index]))

    def share(self, index: int) -> float:
        """Return where a slider was moved to within the range of its training, 0..1."""
        slider, position = self.sliders[index], self.positions[index]
        return (
            (position - slider.low) / (slider.high - slider.low)
            if slider.high > slider.low
            else 0.0
        )

    def set_share(self, index: int, share: float) -> None:
        """Move a slider to a place within the range of its training. share: 0..1. Errors: as
        `set`."""
        slider = self.sliders[index]
        self.set(index, slider.low + share * (slider.high - slider.low))

    def render(self, n_samples: int) -> np.ndarray:
        """Return the next samples, [n_samples, n_channels] float32."""
        given, places = self._given(n_samples, self._places)
        self._places = places
        samples = _in_channels(self._player.play(given))
        if self._next is not None:
            self._player, self._next = self._next, None
            share = ((np.arange(n_samples) + 0.5) / n_samples).astype(np.float32)[:, None]
            # Of independent noise, the powers add up.
            samples = samples * np.sqrt(1 - share)
            samples += _in_channels(self._player.play(given)) * np.sqrt(share)
        gain, wanted = self._instrument.spec.gain(given), self._wanted_gain()
        volume = wanted + (self._gain - wanted) * self._decay(n_samples)
        self._gain = float(volume[-1]) if n_samples else self._gain
        return samples * (gain * volume).astype(np.float32)[:, None]

    def _given(self, n_samples: int, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the network's input for the next samples, [n_samples, n_sliders] float32, and
        where the sliders are after them. places: where they are before."""
        targets = np.array(self.positions)
        decay = self._decay(n_samples)[:, None]
        moving = targets + (places - targets) * decay
        given = np.empty(moving.shape, dtype=np.float32)
        for index, slider in enumerate(self.sliders):
            given[:, index] = slider.to_network(moving[:, index])
        after = moving[-1] if n_samples else places
        return given, np.where(np.abs(after - targets) < NEAR, targets, after)

    def _decay(self, n_samples: int) -> np.ndarray:
        return np.exp(-np.arange(1, n_samples + 1) / (self.rate * GLIDE_SECONDS))

    def _wanted_gain(self) -> float:
        return 0.0 if self.volume_db <= SOFTEST_DB else 10 ** (self.volume_db / 20)

    def _new_player(self, seed: int) -> Player:
        return cast("SynthesisNetwork", self._instrument.network).player(seed, **self._own)


def _in_channels(samples: np.ndarray) -> np.ndarray:
    return samples[:, None] if samples.ndim == 1 else samples

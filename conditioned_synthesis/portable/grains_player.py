"""The player of portable instruments of `grains`: the toolkit's own, with sliders that glide, at any
rate."""

import numpy as np

from conditioned_synthesis.portable.grains_file import network_of
from conditioned_synthesis.portable.host_rate import HostRate
from conditioned_synthesis.portable.instrument_file import PortableInstrument
from conditioned_synthesis.portable.sliders import GlidingSliders
from conditioned_synthesis.synthesisers.grains.sizes import TICK

_CHANNELS = 2  # a mono instrument plays the same on both


class PortableGrains:
    """An instrument of `grains` that plays at any rate."""

    def __init__(self, instrument: PortableInstrument, rate: float, seed: int = 0) -> None:
        """Begin with all sliders in their middle.

        Args:
            instrument: what the file holds.
            rate: samples per second.
            seed: 32 bits; another one gives another variation of the sound.

        Errors: TextureError when the parts of the instrument do not fit together.
        """
        header = instrument.header
        self._player = network_of(instrument).player(seed)
        self._sliders = GlidingSliders(header, header["sample_rate"] / TICK)
        self._gain: float | None = None  # none has played yet
        self._out = HostRate(self._tick, header["channels"], header["sample_rate"], rate)

    def set(self, name: str, position: float) -> None:
        """Move a slider: it glides there. position: on the slider, held within its trained
        range."""
        self._sliders.set(name, position)

    def render(self, n_samples: int) -> np.ndarray:
        """Return the next samples, [n_samples, 2] float32. A slider acts from the next tick on."""
        return np.ascontiguousarray(
            np.resize(self._out.render(n_samples), (_CHANNELS, n_samples)).T
        )

    def _tick(self) -> np.ndarray:
        """Return the next tick at the instrument's own rate, [channels, TICK]."""
        if self._gain is None:
            self._sliders.jump()
            self._gain = self._sliders.gain(self._sliders.given())
        self._sliders.move()
        given = self._sliders.given()
        played = self._player.play(np.tile(given, (TICK, 1))).reshape(TICK, -1).T
        gain = self._sliders.gain(given)
        gains = self._gain + (gain - self._gain) * np.arange(TICK) / TICK
        self._gain = gain
        return (played * gains).astype(np.float32)

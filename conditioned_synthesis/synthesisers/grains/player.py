"""The player of Grains' sounds."""

import numpy as np

from conditioned_synthesis.dsp.integer_hash import seed_of
from conditioned_synthesis.synthesisers.grains.begin import begin_grain
from conditioned_synthesis.synthesisers.grains.play import play
from conditioned_synthesis.synthesisers.grains.sizes import TICK, Sizes
from conditioned_synthesis.synthesisers.grains.state import NUMBER, Material, new_state


class GrainsPlayer:
    """A player that makes whole ticks, and keeps what is left of the last one for the next call."""

    def __init__(self, material: Material, sizes: Sizes, seed: int, temperature: float) -> None:
        self._material, self._sizes = material, sizes
        self._seed, self._temperature = seed_of(seed), float(temperature)
        self._state = new_state(material, sizes)
        self._left = np.zeros((material.sounds.shape[1], 0), np.float32)

    @property
    def n_grains(self) -> int:
        """The number of grains that have begun until now."""
        return int(self._state.counts[NUMBER])

    def play(self, controls: np.ndarray) -> np.ndarray:
        """Return the next samples, as `Player.play`. Errors: ValueError when a control is not a
        number, or one is missing."""
        n_controls = self._material.places.shape[1]
        if controls.ndim != 2 or controls.shape[1] != n_controls:
            raise ValueError(
                f"controls of shape {controls.shape}: should be [samples, {n_controls}]"
            )
        if not np.isfinite(controls).all():
            raise ValueError("controls: not all are finite numbers")
        n_channels, n_left = self._left.shape[0], min(self._left.shape[1], len(controls))
        ticks = np.ascontiguousarray(controls[n_left::TICK], dtype=np.float32)
        made = np.zeros((n_channels, len(ticks) * TICK), np.float32)
        if len(self._material.sounds):  # else it plays silence
            self._play(ticks, made)
        sound = np.concatenate([self._left, made], axis=1)
        self._left = sound[:, len(controls) :]
        played = sound[:, : len(controls)]
        return played[0].copy() if n_channels == 1 else np.ascontiguousarray(played.T)

    def _play(self, ticks: np.ndarray, out: np.ndarray) -> None:
        material, sizes, state = self._material, self._sizes, self._state
        done = play(material, sizes, state, ticks, out, 0)
        while done < len(ticks):
            begin_grain(material, sizes, state, self._seed, self._temperature)
            done = play(material, sizes, state, ticks, out, done)

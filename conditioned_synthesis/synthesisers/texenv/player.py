"""The player of TexEnv's sounds."""

from typing import Protocol

import numpy as np
import torch

from conditioned_synthesis.dsp.filterbank import Bands
from conditioned_synthesis.dsp.noise_bands import Carriers, put_on

States = list[torch.Tensor]


class MakesEnvelopes(Protocol):
    """The part of TexEnvNetwork that a player needs."""

    hop: int
    bands: Bands
    n_noises: int
    n_channels: int

    @property
    def n_back(self) -> int: ...
    @property
    def carriers(self) -> Carriers: ...
    def no_states(self, batch: int) -> States: ...
    def __call__(
        self, controls: torch.Tensor, noise: torch.Tensor, states: States
    ) -> tuple[torch.Tensor, States]: ...


class TexEnvPlayer:
    """A player that makes whole frames, and keeps what is left of the last one for the next
    call."""

    def __init__(self, network: MakesEnvelopes, seed: int, temperature: float) -> None:
        self._network, self._temperature = network, temperature
        self._rng = np.random.default_rng(seed)
        self._starts = torch.from_numpy(self._rng.integers(2**31, size=(1, network.bands.n_bands)))
        self._states: States = []  # of every layer, once it has begun
        self._last = torch.empty(0)
        channels = () if network.n_channels == 1 else (network.n_channels,)
        self._left = np.zeros((0, *channels), dtype=np.float32)

    @torch.inference_mode()
    def play(self, controls: np.ndarray) -> np.ndarray:
        hop = self._network.hop
        n_left = min(len(self._left), len(controls))
        out, self._left = [self._left[:n_left]], self._left[n_left:]
        frames = torch.from_numpy(np.ascontiguousarray(controls[n_left::hop], dtype=np.float32))[
            None
        ]
        if frames.shape[1]:
            if not self._states:
                self._begin(frames[:, :1])
            made = self._frames(frames)
            envelopes = torch.cat([self._last, made], dim=1)
            self._last = made[:, -1:]
            n_samples = frames.shape[1] * hop
            samples = self._put_on(envelopes, n_samples)
            self._starts = self._starts + n_samples
            n_wanted = len(controls) - n_left
            out.append(samples[:n_wanted])
            self._left = samples[n_wanted:]
        return np.concatenate(out)

    def _put_on(self, envelopes: torch.Tensor, n_samples: int) -> np.ndarray:
        carriers = self._network.carriers
        if carriers.n_channels > 1:
            return carriers.put_on(envelopes, self._starts, self._network.hop)[0].numpy()
        # Not as fast, but bit for bit what sounds were before there was another way.
        return put_on(envelopes, carriers.draw(self._starts, n_samples))[0].numpy()

    def _begin(self, first: torch.Tensor) -> None:
        """Begin as if the sound had been going on for as long as the network looks back."""
        self._states = self._network.no_states(1)
        self._last = self._frames(first.expand(-1, self._network.n_back + 1, -1))[:, -1:]

    def _frames(self, controls: torch.Tensor) -> torch.Tensor:
        noise = self._temperature * self._rng.standard_normal(
            (1, controls.shape[1], self._network.n_noises), dtype=np.float32
        )
        envelopes, self._states = self._network(controls, torch.from_numpy(noise), self._states)
        return envelopes

"""The player of Gan's sounds."""

from typing import Protocol

import numpy as np
import torch

from conditioned_synthesis.dsp.crossfade import crossfade_gains
from conditioned_synthesis.representations.transforms.base import Transform
from conditioned_synthesis.synthesisers.gan.generator import Generator


class MakesChunks(Protocol):
    """The part of GanNetwork that a player needs."""

    representation: Transform
    average: Generator
    n_chunk: int
    n_history: int
    n_overlap: int
    n_step: int


class GanPlayer:
    """A player that makes a chunk with the controls of its first sample, given what was played
    before it, and crossfades it with the end of the one before."""

    def __init__(self, network: MakesChunks, seed: int, temperature: float) -> None:
        self._network, self._temperature = network, temperature
        self._random = torch.Generator().manual_seed(seed % 2**63)
        self._played = np.zeros(0, np.float32)  # the last n_history samples
        self._ending = np.zeros(0, np.float32)  # of the chunk before, to be crossfaded
        self._left = np.zeros(0, np.float32)

    def play(self, controls: np.ndarray) -> np.ndarray:
        out, done = [], 0
        while done < len(controls):
            if not len(self._left):
                self._left = self._next(controls[done])
            part = self._left[: len(controls) - done]
            self._left = self._left[len(part) :]
            out.append(part)
            done += len(part)
        return np.concatenate(out) if out else np.zeros(0, np.float32)

    @torch.inference_mode()
    def _next(self, controls: np.ndarray) -> np.ndarray:
        """Return the samples until the next chunk begins. controls: [n_controls]."""
        network = self._network
        generator, representation = network.average, network.representation
        before = None
        if network.n_history:
            if len(self._played):
                before = representation(torch.from_numpy(self._played)[None])
            else:  # nothing was played; in training too, such a history is all zeros
                before = torch.zeros_like(representation(torch.zeros(1, network.n_history)))
        held = torch.from_numpy(np.asarray(controls, np.float32)).expand(1, generator.n_frames, -1)
        draw = generator.draw(1, self._random, self._temperature)
        chunk = representation.inverse(generator(draw, held, before))[0].float().numpy()
        n_overlap, n_step = network.n_overlap, network.n_step
        sound = chunk[: n_step + n_overlap].copy()
        if len(self._ending):
            sound[:n_overlap] = crossfaded(self._ending, sound[:n_overlap])
        samples, self._ending = sound[:n_step], sound[n_step:]
        if network.n_history:
            longer = np.concatenate([self._played, samples])[-network.n_history :]
            self._played = np.pad(longer, (network.n_history - len(longer), 0))
        return samples


def crossfaded(ends: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Return a sound that goes over into another, with no dip of its power. Both: [samples]."""
    norm = np.sqrt(float(np.square(ends).sum()) * float(np.square(begins).sum()))
    correlation = float((ends * begins).sum()) / norm if norm > 0 else 0.0
    shares = (np.arange(len(ends)) + 0.5) / len(ends)
    gains = np.array([crossfade_gains(share, correlation) for share in shares])
    return (ends * gains[:, 0] + begins * gains[:, 1]).astype(np.float32)

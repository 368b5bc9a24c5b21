"""The engine between a voice and a sound card: a thread renders ahead, a callback plays."""

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from conditioned_synthesis.live.ring import Ring

_AHEAD = 3  # blocks that are rendered ahead of the sound card
_WAIT_SECONDS = 0.2  # for room; then the thread looks whether it should end
_LEVEL_SECONDS = 0.1  # time constant of the level that is shown


class Renders(Protocol):
    """What the engine plays: a `Voice`, or one at another rate."""

    rate: float
    n_channels: int

    def render(self, n_samples: int) -> np.ndarray: ...


class Engine:
    """Renders blocks ahead of a sound card that calls `callback` when it wants samples.

    Attributes:
        block: samples that are rendered at a time.
        n_played: samples that the sound card was given.
        underflows: calls of the sound card that found too few samples, or that it says came late.
        late: blocks that took longer to render than they last.
        level: root mean square of what was played last.
        failure: what ended the thread that renders, if it failed.
    """

    def __init__(
        self, voice: Renders, block: int, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._voice, self._clock = voice, clock
        self.block, self.rate, self.n_channels = block, voice.rate, voice.n_channels
        self._ring = Ring(_AHEAD * block, voice.n_channels)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="render", daemon=True)
        self.n_played = self.underflows = self.late = 0
        self.failure: Exception | None = None
        self._power = 0.0

    @property
    def glitches(self) -> int:
        return self.underflows + self.late

    @property
    def level(self) -> float:
        return float(np.sqrt(self._power))

    @property
    def latency_seconds(self) -> float:
        """The longest time from a slider's move to the sound card's callback."""
        return (_AHEAD + 1) * self.block / self.rate

    @property
    def n_ready(self) -> int:
        """The number of samples that are rendered and not yet played."""
        return len(self._ring)

    def fill(self) -> None:
        """Render as many blocks as there is room for."""
        while self._ring.room >= self.block:
            began = self._clock()
            samples = self._voice.render(self.block)
            if self._clock() - began > self.block / self.rate:
                self.late += 1
            self._ring.write(samples)

    def start(self) -> None:
        """Render the first blocks, and begin the thread that renders the next ones."""
        self.fill()
        self.late = 0  # the first blocks load and compile, and nobody has heard them
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join()

    def callback(self, out: np.ndarray, n_samples: int, _: Any, status: Any) -> None:
        """Give the sound card its next samples, as `sounddevice` asks for them.

        Args:
            out: [n_samples, channels of the sound card] float32; a mono sound goes to all.
            status: what went wrong since the last call, if true.
        """
        own = np.zeros((n_samples, self.n_channels), np.float32)
        found = self._ring.read_into(own)
        if found < n_samples or status:
            self.underflows += 1
        out[:] = 0
        if self.n_channels == 1:
            out[:] = own
        else:
            n_shared = min(out.shape[1], self.n_channels)
            out[:, :n_shared] = own[:, :n_shared]
        self.n_played += found
        if n_samples:
            weight = np.exp(-n_samples / (self.rate * _LEVEL_SECONDS))
            self._power = weight * self._power + (1 - weight) * float(np.mean(own**2))

    def _run(self) -> None:
        try:
            while not self._ends.is_set():
                self.fill()
                self._ring.wait_for_room(self.block, _WAIT_SECONDS)
        except Exception as error:
            self.failure = error

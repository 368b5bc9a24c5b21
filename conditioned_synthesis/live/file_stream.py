"""A file in the place of a sound card: it takes samples in real time."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from conditioned_synthesis.live.engine import Engine


class FileStream:
    """A stream with the interface of a sound card's, that writes what it is given to a file."""

    def __init__(
        self,
        engine: Engine,
        file: Any,
        n_samples: int | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Make the stream.

        Args:
            file: an open `soundfile.SoundFile`.
            n_samples: after so many it ends; None: when it is stopped.
        """
        self._engine, self._file, self._left = engine, file, n_samples
        self._clock, self._sleep = clock, sleep
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self.run, name="file", daemon=True)
        self.failure: Exception | None = None
        self.is_over = False

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End, after the block that is being written."""
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join()

    def close(self) -> None:
        self.stop()

    def run(self) -> None:
        """Take a block whenever a sound card would, until the end."""
        try:
            self._take_all()
        except Exception as error:
            self.failure = error
        self.is_over = True

    def _take_all(self) -> None:
        engine = self._engine
        due = self._clock()
        while not self._ends.is_set() and self._left != 0:
            n_samples = engine.block if self._left is None else min(engine.block, self._left)
            out = np.zeros((n_samples, engine.n_channels), np.float32)
            engine.callback(out, n_samples, None, None)
            self._file.write(out)
            if self._left is not None:
                self._left -= n_samples
            due += n_samples / engine.rate
            self._sleep(max(0.0, due - self._clock()))

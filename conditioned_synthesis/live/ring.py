"""A ring buffer of samples between one thread that writes and one that reads."""

import threading

import numpy as np


class Ring:
    """Samples that were rendered and not yet played.

    The reader never waits. Both counts only grow, and each is written by one thread alone.
    """

    def __init__(self, n_samples: int, n_channels: int) -> None:
        self._samples = np.zeros((n_samples, n_channels), dtype=np.float32)
        self._written = self._read = 0
        self._has_room = threading.Event()

    def __len__(self) -> int:
        return self._written - self._read

    @property
    def room(self) -> int:
        return len(self._samples) - len(self)

    def write(self, samples: np.ndarray) -> None:
        """Add samples, [n, channels], for which there must be room."""
        places = np.arange(self._written, self._written + len(samples)) % len(self._samples)
        self._samples[places] = samples
        self._written += len(samples)

    def read_into(self, out: np.ndarray) -> int:
        """Move the oldest samples into `out`, [n, channels], and return how many there were, at
        most n."""
        n_samples = min(len(self), len(out))
        places = np.arange(self._read, self._read + n_samples) % len(self._samples)
        out[:n_samples] = self._samples[places]
        self._read += n_samples
        self._has_room.set()
        return n_samples

    def wait_for_room(self, n_samples: int, seconds: float) -> bool:
        """Wait until there is room for so many samples, at most so long; return whether there
        is."""
        self._has_room.clear()
        return self.room >= n_samples or (self._has_room.wait(seconds) and self.room >= n_samples)

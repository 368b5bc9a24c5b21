"""Cut a stream of samples into segments."""

from collections.abc import Iterable, Iterator

import numpy as np


def cut(
    blocks: Iterable[np.ndarray], n_samples: int, n_hop: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield every whole segment of a recording, one each `n_hop` samples.

    blocks: [samples] or [samples, channels] each. -> (number of its first sample, [n_samples] or
    [n_samples, channels]). Holds no more than a block and a segment.

    >>> [(start, segment.tolist()) for start, segment in cut([np.arange(3), np.arange(3, 7)], n_samples=3, n_hop=2)]
    [(0, [0, 1, 2]), (2, [2, 3, 4]), (4, [4, 5, 6])]
    """
    waiting = np.zeros(0, np.float32)
    first = 0  # of the samples that wait, in the recording
    next_start = 0
    for block in blocks:
        waiting = np.concatenate([waiting, block]) if len(waiting) else block
        while next_start + n_samples <= first + len(waiting):
            at = next_start - first
            yield next_start, waiting[at : at + n_samples]
            next_start += n_hop
        n_passed = min(next_start - first, len(waiting))
        waiting = waiting[n_passed:]
        first += n_passed


def fade(segment: np.ndarray, n_fade: int) -> np.ndarray:
    """Return the segment, rising from nothing over its first `n_fade` samples and falling over its
    last, by half a cosine."""
    if not n_fade:
        return segment
    ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(n_fade) + 0.5) / n_fade)).astype(segment.dtype)
    ramp = ramp.reshape(-1, *[1] * (segment.ndim - 1))  # the same for every channel
    faded = segment.copy()
    faded[:n_fade] *= ramp
    faded[-n_fade:] *= ramp[::-1]
    return faded

"""Sums of loops of noise, each multiplied with its envelope, and their gradient, compiled for one
CPU core.

Loops are read where they lie. To write out the noise of a batch first, hundreds of megabytes, takes
longer than all that is computed with it.

All functions take: loops, one after the other, float32, with the place of each first sample and the
number of its samples, [bands]; starts, [batch, bands], the place in its loop where each band
begins, below its length; ramp, [hop], 0 to just under 1, which goes from a frame to the next.
"""

import numba
import numpy as np

_FAST = {"contract", "reassoc", "nsz", "arcp"}
_AT_ONCE = 4096  # samples of a sound, which stay in the first-level cache while all bands are added


@numba.njit(cache=True, fastmath=_FAST)
def sums(
    envelopes: np.ndarray,
    loops: np.ndarray,
    firsts: np.ndarray,
    lengths: np.ndarray,
    starts: np.ndarray,
    ramp: np.ndarray,
) -> np.ndarray:
    """Return the sounds.

    envelopes: [batch, frames + 1, bands] float32 -> [batch, frames * hop] float32.
    """
    batch, n_frames, n_bands = envelopes.shape[0], envelopes.shape[1] - 1, envelopes.shape[2]
    hop = len(ramp)
    sounds = np.zeros((batch, n_frames * hop), dtype=np.float32)
    step = max(1, _AT_ONCE // hop)
    for row in range(batch):
        for first in range(0, n_frames, step):
            for band in range(n_bands):
                loop = loops[firsts[band] : firsts[band] + lengths[band]]
                place = (starts[row, band] + first * hop) % lengths[band]
                for frame in range(first, min(first + step, n_frames)):
                    sound = sounds[row, frame * hop : (frame + 1) * hop]
                    begin = envelopes[row, frame, band]
                    more = envelopes[row, frame + 1, band] - begin
                    n_left = min(hop, lengths[band] - place)
                    noise = loop[place : place + n_left]
                    for index in range(n_left):
                        sound[index] += (begin + more * ramp[index]) * noise[index]
                    for index in range(n_left, hop):
                        sound[index] += (begin + more * ramp[index]) * loop[index - n_left]
                    place = (place + hop) % lengths[band]
    return sounds


@numba.njit(cache=True, fastmath=_FAST)
def slopes(
    gradient: np.ndarray,
    loops: np.ndarray,
    firsts: np.ndarray,
    lengths: np.ndarray,
    starts: np.ndarray,
    ramp: np.ndarray,
) -> np.ndarray:
    """Return the gradient to the envelopes of `sums`.

    gradient: to the sounds, [batch, frames * hop] float32 -> [batch, frames + 1, bands] float32.
    """
    batch, hop, n_bands = len(gradient), len(ramp), len(lengths)
    n_frames = gradient.shape[1] // hop
    found = np.zeros((batch, n_frames + 1, n_bands), dtype=np.float32)
    step = max(1, _AT_ONCE // hop)
    for row in range(batch):
        for first in range(0, n_frames, step):
            for band in range(n_bands):
                loop = loops[firsts[band] : firsts[band] + lengths[band]]
                place = (starts[row, band] + first * hop) % lengths[band]
                for frame in range(first, min(first + step, n_frames)):
                    sound = gradient[row, frame * hop : (frame + 1) * hop]
                    n_left = min(hop, lengths[band] - place)
                    noise = loop[place : place + n_left]
                    whole = later = np.float32(0)
                    for index in range(n_left):
                        product = sound[index] * noise[index]
                        whole += product
                        later += product * ramp[index]
                    for index in range(n_left, hop):
                        product = sound[index] * loop[index - n_left]
                        whole += product
                        later += product * ramp[index]
                    found[row, frame, band] += whole - later
                    found[row, frame + 1, band] += later
                    place = (place + hop) % lengths[band]
    return found

"""A recording as a stream of samples at the set's rate and with its channels, and where it was
recorded too loud."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import soxr

from texturelib.audio import Mixer, Notes, read_blocks
from texturelib.errors import Rejected

Channel = Literal["mix"] | int
Resampling = Literal["QQ", "LQ", "MQ", "HQ", "VHQ"]


def sound_blocks(
    path: Path,
    sample_rate: int,
    channel: Channel = "mix",
    n_channels: int = 1,
    resampling: Resampling = "HQ",
    clipped: "ClippedTimes | None" = None,
    *,
    gain: float = 1.0,
    mixer: Mixer | None = None,
    notes: Notes | None = None,
) -> Iterator[np.ndarray]:
    """Yield a recording block by block, [samples] or [samples, n_channels] float32 at
    `sample_rate`. Joined they are the whole recording, to the sample.

    channel: where `n_channels` is 1: "mix" is the mean of all, else one of them, from 1. Several
    channels are kept as they are; a mono recording is copied to each. resampling: quality, in soxr's
    words. clipped: is told of every block before it is changed. gain: every sample's factor. mixer:
    who mixes. notes: as of `read_blocks`. Errors: Rejected as from `read_blocks`, or when there is
    no such channel, or another number of them.
    """
    mixer = mixer or Mixer()
    stream: soxr.ResampleStream | None = None
    before: np.ndarray | None = None
    for samples, rate in read_blocks(path, notes=notes):
        kept = _kept(samples, channel, n_channels, mixer)
        if clipped:
            clipped.look_at(samples, rate)
        if gain != 1:
            kept = kept * np.float32(gain)
        if rate != sample_rate and stream is None:
            stream = soxr.ResampleStream(
                rate, sample_rate, n_channels, dtype="float32", quality=resampling
            )
        # One block behind: the stream must be told which is the last, and clipping at a block's end
        # may go on in the next.
        if before is not None:
            yield stream.resample_chunk(before) if stream else before
        before = kept
    if before is not None:
        yield stream.resample_chunk(before, last=True) if stream else before


def _kept(samples: np.ndarray, channel: Channel, n_channels: int, mixer: Mixer) -> np.ndarray:
    """Return the wanted channels of a block.

    samples: [samples, channels] -> [samples], or [samples, n_channels] where these are several.
    """
    n_there = samples.shape[1]
    if problem := why_not_channels(n_channels, n_there):
        raise Rejected(problem)
    if n_channels > 1:
        return samples if n_there == n_channels else np.repeat(samples, n_channels, axis=1)
    if channel == "mix":
        return mixer.mix(samples)
    if channel > n_there:
        raise Rejected(f"has {n_there} channel(s), and channel {channel} is asked for")
    return np.ascontiguousarray(samples[:, channel - 1])


def why_not_channels(n_channels: int, n_there: int) -> str | None:
    """Return why a recording with `n_there` channels gives no segments of `n_channels`, None where
    it does."""
    if n_channels == 1 or n_there in (1, n_channels):
        return None
    return f"has {n_there} channels, and channels is {n_channels}; 1 would mix them"


class ClippedTimes:
    """The times at which a recording is clipped: several consecutive samples at full scale, in any
    channel.

    level: how near to full scale (1) counts. run: how many samples on end. peak: the highest
    magnitude so far.
    """

    def __init__(self, level: float, run: int) -> None:
        self._level = level
        self._run = run
        self.peak = 0.0
        self._n_seen = 0
        self._times = np.zeros(0)
        # The samples before a block, in which a run may begin: whether they are at full scale, and
        # counted.
        self._full_before = self._clipped_before = np.zeros((0, 1), bool)

    def look_at(self, samples: np.ndarray, sample_rate: int) -> None:
        """Find clipped samples in the recording's next block, [samples, channels]."""
        first = self._n_seen - len(self._full_before)
        self._n_seen += len(samples)
        peak = max(float(samples.max()), -float(samples.min()))
        self.peak = max(self.peak, peak)
        if peak < self._level:
            self._full_before = self._clipped_before = np.zeros((0, samples.shape[1]), bool)
            return
        full = np.abs(samples) >= self._level
        full = np.concatenate([self._full_before, full]) if len(self._full_before) else full
        n_starts = max(0, len(full) - self._run + 1)
        begins_run = np.ones((n_starts, full.shape[1]), bool)
        for offset in range(self._run):
            begins_run &= full[offset : offset + n_starts]
        clipped = np.zeros_like(full)
        for offset in range(self._run):
            clipped[offset : offset + n_starts] |= begins_run
        new = clipped.copy()
        new[: len(self._clipped_before)] &= ~self._clipped_before
        self._times = np.concatenate([self._times, (first + np.nonzero(new)[0]) / sample_rate])
        kept = max(0, len(full) - (self._run - 1))
        self._full_before, self._clipped_before = full[kept:], clipped[kept:]

    def count(self, start: float, end: float) -> int:
        """Return how many samples are clipped from `start` to before `end`, in seconds; `start`
        never goes back."""
        self._times = self._times[self._times >= start]
        return int(np.count_nonzero(self._times < end))

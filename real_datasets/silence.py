"""The rule that decides whether a segment is silent."""

from typing import Annotated

import numpy as np
from pydantic import Field

from texturelib.config import Config

_FRAME_SECONDS = 0.02
_STEP = 2**-15  # of 16 bits; half of one is rounded to nothing
_ROUNDING = 1.001  # more than sums of 32-bit numbers are off by

Dbfs = Annotated[float, Field(le=0)]


class Silence(Config):
    """Rule by which a segment is too quiet to keep, by its frames of 20 ms. Full scale is 0 dBFS;
    an offset (DC) is no sound."""

    level_dbfs: Dbfs | None = -60.0
    """Root mean square below which a frame is quiet, in dBFS; null does not look at it."""
    peak_dbfs: Dbfs | None = None
    """Peak below which a frame is quiet too, in dBFS; null does not look at it."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of quiet frames from which a segment is silent."""

    def is_silent(self, segment: np.ndarray, sample_rate: int) -> bool:
        """Return whether the segment is too quiet to keep. A frame is quiet when all its channels
        are.

        segment: [samples] or [samples, channels].
        """
        channels = segment[:, None] if segment.ndim == 1 else segment
        is_quiet = np.logical_and.reduce(
            [self._has_quiet(channel, sample_rate) for channel in channels.T]
        )
        # Not count >= share * frames, where 0.28 * 25 is 7.000000000000001.
        return bool(np.mean(is_quiet) >= self.share)

    def _has_quiet(self, segment: np.ndarray, sample_rate: int) -> np.ndarray:
        """Return by frame whether it is quiet, also without the segment's mean, [frames] bool.

        segment: [samples].
        """
        frames = _frames(segment, sample_rate)
        powers, peaks = self._powers_and_peaks(frames)
        is_quiet = self._are_quiet(powers, peaks)
        # An offset (DC) is no sound. Quiet with it counts too: a short loud sound moves the mean of
        # all the silence around it.
        mean = segment.mean(dtype=np.float64)
        if mean and not is_quiet.all():
            others = np.flatnonzero(self._could_be_quiet(powers, peaks, abs(mean)) & ~is_quiet)
            if len(others):
                centred = frames[others] - mean.astype(segment.dtype)
                is_quiet[others] = self._are_quiet(*self._powers_and_peaks(centred))
        return is_quiet

    def _could_be_quiet(self, powers: np.ndarray, peaks: np.ndarray, mean: float) -> np.ndarray:
        """Return by frame whether it could be quiet without a mean of this size: neither its level
        nor its peak falls by more."""
        mean *= _ROUNDING
        return self._are_quiet(
            np.maximum(np.sqrt(powers) - mean, 0) ** 2 / _ROUNDING, (peaks - mean) / _ROUNDING
        )

    def _powers_and_peaks(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean squares and the peaks of frames, [frames] each; nothing, 0, of what does
        not matter."""
        nothing = np.zeros(len(frames), frames.dtype)
        return (
            nothing
            if self.level_dbfs is None
            else np.einsum("fs,fs->f", frames, frames) / frames.shape[1],
            nothing if self.peak_dbfs is None else np.abs(frames).max(axis=1),
        )

    def _are_quiet(self, powers: np.ndarray, peaks: np.ndarray) -> np.ndarray:
        """Return by frame whether it is quiet. powers, peaks: [frames] -> [frames] bool."""
        is_quiet = np.zeros(len(powers), bool)
        if self.level_dbfs is not None:
            is_quiet |= powers < 10 ** (self.level_dbfs / 10)
        if self.peak_dbfs is not None:
            is_quiet |= peaks < 10 ** (self.peak_dbfs / 20)
        return is_quiet


def _frames(segment: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return the frames of a segment, [frames, samples]. segment: [samples]."""
    n_frame = min(round(_FRAME_SECONDS * sample_rate), len(segment))
    n_in_frames = len(segment) // n_frame * n_frame
    frames = segment[:n_in_frames].reshape(-1, n_frame)
    # The last frame is as long as the others, so it overlaps the one before.
    if n_in_frames < len(segment):
        frames = np.concatenate([frames, segment[None, -n_frame:]])
    return frames


def is_nothing(segment: np.ndarray) -> bool:
    """Return whether all samples are zero after rounding to 16 bits."""
    return float(np.abs(segment).max(initial=0.0)) <= _STEP / 2

"""Reading of recordings that exceed full scale, or whose channels cancel each other."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from real_datasets.decode import Channel, ClippedTimes, Resampling, sound_blocks
from texturelib.audio import Mixer, Notes, cancelling
from texturelib.errors import Rejected

OutOfPhase = Literal["channel", "reject", "mix"]

_MOST_OVERSHOOT = 2.0  # 6 dB: codecs go beyond full scale by less; what is higher was written so
_FULL_SCALE = 1 - 2**-15  # the highest step of 16 bits


@dataclass(frozen=True)
class Way:
    """The channels and gain with which a recording is read.

    channel, n_channels, gain: as in `sound_blocks`. full_scale: the magnitude at which clipped samples lie.
    notes: sentences, to follow the recording's name, about what differs from reading it unchanged.
    """

    channel: Channel
    n_channels: int = 1
    gain: float = 1.0
    full_scale: float = 1.0
    notes: tuple[str, ...] = ()


class OtherWayNeededError(Exception):
    """The recording cannot be read as the config says at its own level; `way_for` says how it can."""


class Reading:
    """A recording's blocks, read in one way.

    is_sure: whether that way was chosen for it, after a look at all of it. n_samples: that went by,
    at `sample_rate`. notes: all that is worth saying, once it has been read. Errors: those of
    `sound_blocks`, and OtherWayNeededError unless it is sure.
    """

    def __init__(
        self,
        path: Path,
        sample_rate: int,
        way: Way,
        resampling: Resampling,
        clipped: ClippedTimes,
        *,
        is_sure: bool,
        mixes: bool,
    ) -> None:
        """Make the mixer. mixes: whether channels are mixed also where they cancel one another."""
        self.n_samples = 0
        self._way, self._clipped, self._is_sure, self._mixes = way, clipped, is_sure, mixes
        self._mixer, self._notes = Mixer(), Notes()
        self._blocks = sound_blocks(
            path,
            sample_rate,
            way.channel,
            way.n_channels,
            resampling,
            clipped,
            gain=way.gain,
            mixer=self._mixer,
            notes=self._notes,
        )

    def __iter__(self) -> Iterator[np.ndarray]:
        for block in self._blocks:
            if not self._is_sure and self._notes.can_exceed_full_scale and self._clipped.peak > 1:
                raise OtherWayNeededError
            self.n_samples += len(block)
            yield block
        if not self._is_sure and self._mixer.cancels and not self._mixes:
            raise OtherWayNeededError

    @property
    def notes(self) -> list[str]:
        return [*self._notes.sentences, *self._way.notes]


def way_for(
    path: Path,
    sample_rate: int,
    wanted: Way,
    resampling: Resampling,
    out_of_phase: OutOfPhase,
) -> Way:
    """Return how to read a recording: its gain and how its channels are mixed.

    wanted: what the config asks for. out_of_phase: what becomes of channels that cancel one another
    when they are mixed.

    Errors: Rejected when the recording cannot be read, or is not wanted.
    """
    notes = Notes()
    sentences = list[str]()
    mixer, look = Mixer(), ClippedTimes(math.inf, 1)
    channel, n_channels = wanted.channel, wanted.n_channels
    peak = _peak(
        sound_blocks(
            path, sample_rate, channel, n_channels, resampling, look, mixer=mixer, notes=notes
        )
    )
    if mixer.cancels and out_of_phase != "mix":
        if out_of_phase == "reject":
            raise Rejected("has channels that cancel one another when they are mixed")
        channel = mixer.loudest
        sentences.append(cancelling(channel))
        if look.peak > 1:
            peak = _peak(sound_blocks(path, sample_rate, channel, n_channels, resampling))
    if not (notes.can_exceed_full_scale and look.peak > 1 and peak > _FULL_SCALE):
        return Way(channel, n_channels, notes=tuple(sentences))
    gain = _FULL_SCALE / peak
    sentences.append(
        f"goes {20 * math.log10(look.peak):.1f} dB above full scale: lowered as a whole, by {-20 * math.log10(gain):.1f} dB"
    )
    is_recorded = notes.is_lossy and look.peak < _MOST_OVERSHOOT
    return Way(channel, n_channels, gain, 1.0 if is_recorded else look.peak, tuple(sentences))


def _peak(blocks: Iterator[np.ndarray]) -> float:
    return max(
        (max(float(block.max()), -float(block.min())) for block in blocks if len(block)),
        default=0.0,
    )

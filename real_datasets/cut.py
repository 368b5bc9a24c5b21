"""Cut one recording into the segments that a set keeps of it."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from real_datasets.config import RealConfig
from real_datasets.decode import ClippedTimes
from real_datasets.segments import cut, fade
from real_datasets.silence import is_nothing
from real_datasets.sources import Recording
from real_datasets.ways import OtherWayNeededError, Reading, Way, way_for
from texturelib.audio import level_dbfs, to_16_bit, write_wav
from texturelib.errors import Rejected
from texturelib.made import remove_ours


@dataclass(frozen=True)
class Segment:
    """A segment that was written. start_seconds: in the recording. level_dbfs: of its loudest
    channel. digest: equal for segments that are equal to the sample, in all channels."""

    file_name: str
    start_seconds: float
    level_dbfs: float
    n_clipped: int
    digest: str


@dataclass
class CutRecording:
    """The result of cutting a recording: its length, the kept segments, counts of those left out,
    and notes."""

    seconds: float
    segments: list[Segment]
    n_silent: int
    n_too_loud: int
    n_duplicates: int
    n_beyond_most: int
    notes: list[str] = field(default_factory=list)


def cut_recording(
    config: RealConfig, n_channels: int, folder: Path, recording_and_stem: tuple[Recording, str]
) -> dict[str, Any]:
    """Write one recording's segments to `folder/audio`. -> a CutRecording, as JSON can hold it.

    n_channels: of the segments, see `channels_of_set`.

    Errors: Rejected when the recording cannot be read, or nothing of it is kept; none of its
    segments is left then.
    """
    recording, stem = recording_and_stem
    written: list[Path] = []
    try:
        found = _cut(config, n_channels, folder, recording, stem, written)
    except BaseException as error:
        for path in written:
            remove_ours(path)
        if isinstance(error, FileNotFoundError) and not recording.path.exists():
            raise Rejected(f"{recording.path.name} is gone") from None
        raise
    return {**vars(found), "segments": [vars(segment) for segment in found.segments]}


def _cut(
    config: RealConfig,
    n_channels: int,
    folder: Path,
    recording: Recording,
    stem: str,
    written: list[Path],
) -> CutRecording:
    wanted = Way(config.channel, n_channels)
    try:
        return _cut_in(wanted, config, folder, recording, stem, written, is_sure=False)
    except OtherWayNeededError:
        for path in written:
            remove_ours(path)
        written.clear()
        way = way_for(
            recording.path,
            config.sample_rate,
            wanted,
            config.resampling,
            config.out_of_phase,
        )
        return _cut_in(way, config, folder, recording, stem, written, is_sure=True)


def _cut_in(
    way: Way,
    config: RealConfig,
    folder: Path,
    recording: Recording,
    stem: str,
    written: list[Path],
    *,
    is_sure: bool,
) -> CutRecording:
    clipped = ClippedTimes(config.clipping.level * way.full_scale, config.clipping.run)
    mixes = config.out_of_phase == "mix"
    blocks = Reading(
        recording.path,
        config.sample_rate,
        way,
        config.resampling,
        clipped,
        is_sure=is_sure,
        mixes=mixes,
    )
    n_fade = round(config.fade_ms / 1000 * config.sample_rate)
    found = CutRecording(0.0, [], 0, 0, 0, 0)
    seen: set[str] = set()
    for start, segment in cut(blocks, config.n_samples, config.n_hop):
        faded = fade(segment, n_fade)
        if is_nothing(faded) or (
            config.silence and config.silence.is_silent(segment, config.sample_rate)
        ):
            found.n_silent += 1
            continue
        begins = start / config.sample_rate
        n_clipped = clipped.count(begins, (start + config.n_samples) / config.sample_rate)
        if config.clipping.most is not None and n_clipped > config.clipping.most:
            found.n_too_loud += 1
            continue
        steps = to_16_bit(faded)
        digest = hashlib.sha256(steps.tobytes()).hexdigest()[:32]
        if config.drop_duplicates and digest in seen:
            found.n_duplicates += 1
            continue
        seen.add(digest)
        # Counted from 1 over the kept segments only, as in the thesis's set.
        path = folder / "audio" / f"{stem}_{len(written) + 1}.wav"
        write_wav(path, steps, config.sample_rate)
        written.append(path)
        found.segments.append(
            Segment(path.name, round(begins, 6), round(_level(segment), 2), n_clipped, digest)
        )
    found.notes = blocks.notes
    found.seconds = round(blocks.n_samples / config.sample_rate, 6)
    if not found.segments:
        raise Rejected(_why_nothing(found, config))
    _keep_most(config.most_per_recording, found, folder)
    return found


def _level(segment: np.ndarray) -> float:
    """Return the level of a segment's loudest channel in dBFS.

    segment: [samples] or [samples, channels].
    """
    channels = segment[:, None] if segment.ndim == 1 else segment
    return max(level_dbfs(channel) for channel in channels.T)


def _why_nothing(found: CutRecording, config: RealConfig) -> str:
    n_segments = found.n_silent + found.n_too_loud
    if not n_segments:
        return f"is {found.seconds:.2f} s long, shorter than one segment of {config.seconds:g} s"
    if not found.n_too_loud:
        return f"all of its {n_segments} segments are silent"
    return f"all of its {n_segments} segments are silent ({found.n_silent}) or clipped ({found.n_too_loud})"


def _keep_most(most: int | None, found: CutRecording, folder: Path) -> None:
    """Keep `most` segments, spread evenly; which that are is only known at the end."""
    if most is None or len(found.segments) <= most:
        return
    # The middle of each of so many equal parts.
    chosen = set(((np.arange(most) + 0.5) * len(found.segments) / most).astype(int).tolist())
    for index, segment in enumerate(found.segments):
        if index not in chosen:
            remove_ours(folder / "audio" / segment.file_name)
    found.n_beyond_most = len(found.segments) - len(chosen)
    found.segments = [segment for index, segment in enumerate(found.segments) if index in chosen]

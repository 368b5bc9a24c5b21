"""Estimate of what a build would make, from the files' headers alone."""

import math
import time
from dataclasses import dataclass, replace

from real_datasets.channels import common_channels
from real_datasets.choose import choose
from real_datasets.config import RealConfig
from real_datasets.decode import why_not_channels
from real_datasets.sources import Recording
from texturelib.audio import Header, read_header, wav_bytes
from texturelib.errors import Rejected
from texturelib.files import shown
from texturelib.jobs import how_to_allow
from texturelib.markdown import in_channels
from texturelib.progress import progress


@dataclass(frozen=True)
class Survey:
    """The headers of the recordings that a config takes, or of a part of them.

    n_channels: of the segments.
    n_recordings: how many it takes. n_left_out: how many it leaves out by their tags. headers: of
    the recordings that were looked at and can be read. rejected: the reason, by name, for those
    that cannot. n_short: how many of `headers` are shorter than a segment.
    """

    n_recordings: int
    n_left_out: int
    headers: dict[Recording, Header]
    rejected: dict[str, str]
    n_segments_seen: int
    n_short: int
    segment_seconds: float
    sample_rate: int
    n_channels: int

    @property
    def n_seen(self) -> int:
        return len(self.headers) + len(self.rejected)

    @property
    def n_unusable(self) -> int:
        """How many of the recordings that were looked at cannot be used."""
        return len(self.rejected) + self.n_short

    @property
    def n_segments(self) -> int:
        """The largest possible number of segments, extrapolated if not all recordings were looked
        at."""
        return round(self.n_segments_seen * self.n_recordings / max(1, self.n_seen))

    @property
    def seconds(self) -> float:
        """Length of all recordings together, extrapolated as `n_segments`."""
        return (
            sum(header.seconds for header in self.headers.values())
            * self.n_recordings
            / max(1, self.n_seen)
        )

    @property
    def n_bytes(self) -> float:
        """The largest possible size of all segments."""
        seconds = self.n_segments * self.segment_seconds
        return wav_bytes(seconds, self.sample_rate, self.n_channels)

    def why_it_stops(self, max_rejected: float) -> str:
        """Return why a build would stop, and what to set; "" where it would go on."""
        if self.n_unusable / max(1, self.n_seen) <= max_rejected:
            return ""
        short = f"{self.n_short} are shorter than a segment" if self.n_short else ""
        first = next((f"the first: {name}: {reason}" for name, reason in self.rejected.items()), "")
        why = "; ".join(filter(None, [first, short]))
        counted = f"{self.n_unusable} of {self.n_seen} recordings cannot be used ({why})"
        return f"{counted}, more than max_rejected = {max_rejected:g} allows; {how_to_allow(self.n_unusable, self.n_seen)}"

    def __str__(self) -> str:
        hours = self.n_segments * self.segment_seconds / 3600
        return (
            f"{self.n_recordings} recordings ({len(self.rejected)} unreadable), at most {self.n_segments} segments of "
            f"{self.segment_seconds:g} s{in_channels(self.n_channels)}, {hours:.2f} h, {self.n_bytes / 1e6:.0f} MB"
        )


def survey(config: RealConfig, most_seconds: float = math.inf) -> Survey:
    """Read recordings to find out how many cannot be used. most_seconds: how long to look; those
    that are looked at are then spread over all. Errors: as `choose` and `common_channels`."""
    choice = choose(config)
    recordings = choice.kept
    n_channels = 1 if config.channels == "all" else config.channels
    found = Survey(
        len(recordings),
        len(choice.left_out),
        {},
        {},
        0,
        0,
        config.seconds,
        config.sample_rate,
        n_channels,
    )
    n_segments, n_short = 0, 0
    began = time.monotonic()
    for recording in progress(
        _from_all_over(recordings, most_seconds), "looking", total=len(recordings)
    ):
        if time.monotonic() - began > most_seconds:
            break
        try:
            header = read_header(recording.path)
        except Rejected as reason:
            found.rejected[recording.name] = str(reason)
            continue
        except FileNotFoundError:
            found.rejected[recording.name] = f"{shown(recording.path)} is gone"
            continue
        if problem := why_not_channels(n_channels, header.n_channels):
            found.rejected[recording.name] = problem
            continue
        found.headers[recording] = header
        n_samples = math.ceil(header.n_frames * config.sample_rate / header.sample_rate)
        n_whole = max(0, (n_samples - config.n_samples) // config.n_hop + 1)
        n_short += n_whole == 0
        n_segments += min(n_whole, config.most_per_recording or n_whole)
    if config.channels == "all":
        n_channels = common_channels(
            {recording.name: header.n_channels for recording, header in found.headers.items()}
        )
    return replace(found, n_segments_seen=n_segments, n_short=n_short, n_channels=n_channels)


def _from_all_over(recordings: list[Recording], most_seconds: float) -> list[Recording]:
    """Return the recordings in an order of which any beginning is spread over all; as they are,
    where there is time for all."""
    if most_seconds == math.inf:
        return recordings
    n_steps = max(1, math.isqrt(len(recordings)))
    return [recording for start in range(n_steps) for recording in recordings[start::n_steps]]

"""What a build would make, from the files' headers alone."""

import math

from real_datasets.choose import choose
from real_datasets.config import RealConfig
from texturelib.audio import read_header
from texturelib.errors import Rejected
from texturelib.progress import progress


def survey(config: RealConfig) -> str:
    """-> a sentence: recordings, at most how many segments, hours and disk space."""
    n_segments, n_unreadable = 0, 0
    recordings = choose(config).kept
    for recording in progress(recordings, "looking"):
        try:
            header = read_header(recording.path)
            n_samples = math.ceil(header.n_frames * config.sample_rate / header.sample_rate)
            n_whole = max(0, (n_samples - config.n_samples) // config.n_hop + 1)
            n_segments += min(n_whole, config.most_per_recording or n_whole)
        except (Rejected, FileNotFoundError):
            n_unreadable += 1
    hours = n_segments * config.seconds / 3600
    megabytes = n_segments * config.seconds * config.sample_rate * 2 / 1e6
    return (
        f"{len(recordings)} recordings ({n_unreadable} unreadable), at most {n_segments} segments of {config.seconds:g} s, "
        f"{hours:.2f} h, {megabytes:.0f} MB"
    )

"""What a build would make, from the files' headers alone."""

import soundfile

from real_datasets.config import RealConfig


def survey(config: RealConfig) -> str:
    """-> a sentence: recordings, at most how many segments, hours and disk space."""
    n_segments, n_unreadable = 0, 0
    recordings = config.source.recordings()
    for recording in recordings:
        try:
            n_segments += int(soundfile.info(recording.path).duration / config.seconds)
        except soundfile.LibsndfileError:
            n_unreadable += 1
    hours = n_segments * config.seconds / 3600
    megabytes = n_segments * config.seconds * config.sample_rate * 2 / 1e6
    return (
        f"{len(recordings)} recordings ({n_unreadable} unreadable), at most {n_segments} segments of {config.seconds:g} s, "
        f"{hours:.2f} h, {megabytes:.0f} MB"
    )

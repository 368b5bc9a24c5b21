"""How many channels the clips of a set have."""

from collections.abc import Iterable, Mapping

from real_datasets.config import RealConfig
from real_datasets.sources import Recording
from texturelib.audio import MOST_CHANNELS, read_header
from texturelib.errors import Rejected, TextureError
from texturelib.progress import progress


def channels_of_set(config: RealConfig, recordings: Iterable[Recording]) -> int:
    """Return the number of channels of the clips that are cut from these recordings.

    Errors: as `common_channels`.
    """
    if config.channels != "all":
        return config.channels
    found = {}
    for recording in progress(recordings, "looking"):
        try:
            found[recording.name] = read_header(recording.path).n_channels
        except (Rejected, FileNotFoundError):
            continue  # it is left out later, with the reason
    return common_channels(found)


def common_channels(of_recordings: Mapping[str, int]) -> int:
    """Return the number of channels that all recordings have, mono ones aside, which are copied to
    each; 1 where all are mono, or there are none.

    of_recordings: by name. Errors: TextureError, naming two recordings that differ, or one that has
    too many.
    """
    several = {name: n_channels for name, n_channels in of_recordings.items() if n_channels > 1}
    if not several:
        return 1
    first, n_first = next(iter(several.items()))
    for name, n_channels in several.items():
        if n_channels > MOST_CHANNELS:
            raise TextureError(
                f"channels: {name} has {n_channels} channels, and a set can have {MOST_CHANNELS}; set 1, which mixes them"
            )
        if n_channels != n_first:
            fewer, more = sorted((n_first, n_channels))
            raise TextureError(
                f'channels: "all" keeps what recordings have alike, but {first} has {n_first} channels and {name} has '
                f"{n_channels}; set {fewer} or {more} (recordings with others are then left out) or 1 (all are mixed down)"
            )
    return n_first

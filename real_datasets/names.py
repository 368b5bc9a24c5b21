"""File names of the segments of a recording."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain, repeat
from pathlib import PurePosixPath

from real_datasets.sources import Recording

# Bytes of a stem: file systems allow names of 255, and `_<n>.wav` and what marks a half-written
# file need room.
_LONGEST = 200


def segment_stems(recordings: Sequence[Recording]) -> list[str]:
    """Return the part of each recording's segment names before `_<n>.wav`: its stem, or more of its
    path if stems are shared.

    Unique also where case does not count, and short enough for any file system.

    >>> segment_stems([Recording("a/rain.wav", None), Recording("b/rain.wav", None), Recording("b/fire.wav", None)])
    ['a__rain', 'b__rain', 'fire']
    """
    paths = [PurePosixPath(recording.name) for recording in recordings]
    names = [path.stem for path in paths]
    without_suffix = ["__".join(path.with_suffix("").parts) for path in paths]
    whole = ["__".join(path.parts) for path in paths]
    numbered = [_cut_short(f"{index:06}__{name}") for index, name in enumerate(whole)]
    # Numbered names differ from one another, but one may be what another recording is called by
    # itself: hence again.
    for longer in chain([without_suffix, whole], repeat(numbered)):
        count = Counter(name.casefold() for name in names)
        is_fine = [count[name.casefold()] == 1 and name == _cut_short(name) for name in names]
        if all(is_fine):
            break
        names = [
            name if fine else more for name, fine, more in zip(names, is_fine, longer, strict=True)
        ]
    return names


def _cut_short(name: str) -> str:
    return name.encode("utf-8")[:_LONGEST].decode("utf-8", "ignore")

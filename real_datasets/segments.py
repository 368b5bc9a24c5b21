"""Cut recordings into segments, and name them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np

from real_datasets.sources import Recording
from texturelib.audio import level_dbfs


def cut(samples: np.ndarray, n_samples: int) -> Iterator[tuple[int, np.ndarray]]:
    """samples: [any] -> (first sample, [n_samples]) for each whole segment, one after the other."""
    for start in range(0, len(samples) - n_samples + 1, n_samples):
        yield start, samples[start : start + n_samples]


def is_silent(segment: np.ndarray, silence_dbfs: float | None) -> bool:
    """All zeros, or quieter than `silence_dbfs` where that is set."""
    return not segment.any() or (silence_dbfs is not None and level_dbfs(segment) < silence_dbfs)


def segment_stems(recordings: Sequence[Recording]) -> list[str]:
    """-> what each recording's segments are called before `_<n>.wav`: its stem, or more of its path where stems are shared.

    >>> segment_stems([Recording("a/rain.wav", None), Recording("b/rain.wav", None), Recording("b/fire.wav", None)])
    ['a__rain', 'b__rain', 'fire']
    """
    paths = [PurePosixPath(recording.name) for recording in recordings]
    names = [path.stem for path in paths]
    longer_names = (
        ["__".join(path.with_suffix("").parts) for path in paths],
        ["__".join(path.parts) for path in paths],
        [f"{index:06}__{'__'.join(path.parts)}" for index, path in enumerate(paths)],
    )
    for longer in longer_names:
        count = Counter(names)
        names = [name if count[name] == 1 else more for name, more in zip(names, longer, strict=True)]
    return names

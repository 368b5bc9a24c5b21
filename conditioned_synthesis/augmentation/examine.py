"""Examine recordings before clips are made of them: where their spectra end, and which are
silent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from conditioned_synthesis.augmentation.band import band_end_hz
from conditioned_synthesis.augmentation.recordings import Recording
from texturelib.audio import level_dbfs
from texturelib.dataset import Dataset, clip_at
from texturelib.errors import Rejected
from texturelib.evenly import evenly_spread
from texturelib.jobs import rejected_of

SILENT_DBFS = -90.0
"""Sounds below that level are silence."""
_MOST_CLIPS = 2000  # of all recordings together
_OF_EACH = (2, 8)  # at least, and at most


@dataclass(frozen=True)
class Examined:
    """ends_hz: by recording, where its spectrum ends. silent: those that are, with the reason."""

    ends_hz: dict[str, float]
    silent: dict[str, str]


def examine_all(
    dataset: Dataset, recordings: Sequence[Recording], run: Callable[..., dict[str, Any]]
) -> Examined:
    """Examine some clips of each recording. run: `run_jobs`, with all but items, work and label."""
    fewest, most = _OF_EACH
    n_clips = min(most, max(fewest, _MOST_CLIPS // max(1, len(recordings))))
    items = {}
    for each in recordings:
        chosen = each.rows[evenly_spread(len(each.rows), n_clips)]
        items[each.name] = dataset.metadata["file_name"].iloc[chosen].tolist()
    work = partial(
        _band_end,
        dataset.folder,
        (dataset.sample_rate, dataset.n_samples, dataset.n_channels),
    )
    outcomes = run(items, work, label="examining")
    ends = {name: found for name, found in outcomes.items() if isinstance(found, float)}
    return Examined(ends, rejected_of(outcomes))


def _band_end(folder: Path, form: tuple[int, int, int], file_names: Sequence[str]) -> float:
    clips = [clip_at(folder / name, *form) for name in file_names]
    if all(level_dbfs(clip) < SILENT_DBFS for clip in clips):
        raise Rejected("is silent")
    return band_end_hz(clips, form[0])

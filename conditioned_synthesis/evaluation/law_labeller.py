"""A labeller without a network: it reads the controls that have a law from what their laws do to a
sound."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from conditioned_synthesis.data.clips import Sounds
from conditioned_synthesis.evaluation.labeller import Labeller
from conditioned_synthesis.laws.reader import LawReader
from texturelib.audio import read_mono
from texturelib.errors import UsageError
from texturelib.evenly import evenly_spread
from texturelib.files import read_json
from texturelib.sound_files import find_audio

if TYPE_CHECKING:
    import pandas as pd

BY_LAW = "the law"
_MOST_CLIPS = 400


def law_labeller(
    sounds: Sounds, rows: np.ndarray, highest_hz: float | None = None
) -> tuple[Labeller, list[str]]:
    """Return a labeller that is calibrated on some of the clips, and notes.

    It should be calibrated on clips that the synthesiser was trained on: held-out clips then say
    how far off it is on sounds that it does not know.

    Args:
        sounds: with their controls.
        rows: of the clips to calibrate with, [clips]; of many, some that are evenly spread.
        highest_hz: end of the band that all clips have in common; None: half the sample rate.
    """
    rows = rows[evenly_spread(len(rows), _MOST_CLIPS)]
    try:
        reader = LawReader(
            sounds.samples(rows),
            sounds.sample_rate,
            sounds.controls,
            sounds.means(rows),
            highest_hz,
        )
    except UsageError as error:
        return _nothing(sounds), [f"nothing can be read by the laws: {error}"]
    labeller = Labeller(
        reader.controls, sounds.n_samples / sounds.sample_rate, partial(_read, reader), name=BY_LAW
    )
    return labeller, reader.notes


def comparable_below_hz(folder: Path) -> float | None:
    """Return up to where the clips of a dataset folder can be compared, as `augment` wrote it; None
    where nothing says so."""
    path = folder / "dataset.json"
    found = read_json(path).get("comparable_below_hz") if path.is_file() else None
    return float(found) if isinstance(found, int | float) and found > 0 else None


def _nothing(sounds: Sounds) -> Labeller:
    import pandas as pd

    return Labeller(
        (), sounds.n_samples / sounds.sample_rate, lambda _: pd.DataFrame(), name=BY_LAW
    )


def _read(reader: LawReader, folder: Path) -> "pd.DataFrame":
    """Return what is read of each sound, the mean over its parts of a clip's length; a sound that is
    shorter has no row."""
    import pandas as pd

    rows = {}
    for path in find_audio(folder):
        samples = read_mono(path, reader.sample_rate)
        n_parts = len(samples) // reader.n_samples
        if not n_parts:
            continue
        parts = samples[: n_parts * reader.n_samples].reshape(n_parts, reader.n_samples)
        found = reader(parts)
        rows[path.relative_to(folder).as_posix()] = {
            name: _mean(values) for name, values in found.items()
        }
    columns = [control.name for control in reader.controls]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan

"""The labeller: a network of stage 3 that measures sounds, in values on a synthesiser's sliders."""

import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from pydantic import ConfigDict, PositiveFloat

from texturelib.config import Config
from texturelib.controls import Control, WholeDescription
from texturelib.errors import TextureError, UsageError
from texturelib.files import read_table, shown
from texturelib.learning.weights import load_weights
from texturelib.orphans import environment_of_child

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Labeller:
    """A network that reads controls from sounds.

    controls: those that it reads. seconds: length of a clip; longer sounds are read clip by clip.
    read: a function from a folder of wavs to a row per sound that can be read, by its name within
    the folder, with a column per control, on this labeller's own sliders. name: in sentences and
    tables.
    """

    controls: tuple[Control, ...]
    seconds: float
    read: "Callable[[Path], pd.DataFrame]"
    name: str = "the labeller"

    def read_as(self, controls: Iterable[Control], folder: Path) -> "pd.DataFrame":
        """Return a row per sound and a column for each of `controls` that it reads, on their
        sliders.

        NaN where the slider has no such value.
        """
        own = {control.name: control for control in self.controls}
        labels = self.read(folder)
        known = [control for control in controls if control.name in own]
        for control in known:
            labels[control.name] = on_slider(
                control, own[control.name], np.asarray(labels[control.name])
            )
        return labels.filter(items=[control.name for control in known])

    def check(self, controls: Sequence[Control], seconds: float, key: str) -> list[str]:
        """Check that the labeller can read these sounds, and return notes.

        seconds: length of the sounds, set in the config under `key`. Errors: UsageError when it
        reads none of these controls, or longer sounds only.
        """
        own = {control.name: control for control in self.controls}
        lacking = [control.name for control in controls if control.name not in own]
        if len(lacking) == len(controls):
            raise UsageError(
                f"labeller: reads {', '.join(own)}, but the synthesiser is played with {', '.join(lacking) or 'no controls'}"
            )
        if seconds < self.seconds:
            raise UsageError(
                f"{key}: {seconds:g}: {self.name} reads clips of {self.seconds:g} s; let it have so much"
            )
        notes = [f"{self.name} does not read {name}" for name in lacking]
        for control in controls:
            if control.name in own:
                notes += _notes(control, own[control.name])
        return notes


def on_slider(
    target: Control, source: Control, labels: "Sequence[float] | np.ndarray"
) -> np.ndarray:
    """Return labels on the slider of `source` as the same physical values on that of `target`; NaN
    where it has no such value.

    >>> on_slider(Control("rate", 10.0, 50.0, "/s"), Control("rate", 0.0, 100.0, "/s"), [0.1, 0.3, 0.5]).tolist()
    [0.0, 0.5, 1.0]
    """
    places = np.asarray(labels, dtype=np.float64)
    if _is_bare(target) or _is_bare(source):
        return places
    with np.errstate(all="ignore"):
        found = target.to_slider(source.to_physical(places))
    return np.where(np.isfinite(found), found, np.nan)


def _is_bare(control: Control) -> bool:
    """Return whether it is unknown what the control's 0 and 1 stand for, as for sounds imported
    without that."""
    return (control.low, control.high) == (0.0, 1.0) and control.unit in ("", "norm")


def _notes(played: Control, measured: Control) -> list[str]:
    if _is_bare(played) != _is_bare(measured):
        whose = "synthesiser" if _is_bare(played) else "labeller"
        return [
            f"{played.name}: nothing says what 0 and 1 stand for to the {whose}; taken for the same as to the other"
        ]
    if played.unit != measured.unit:
        return [
            f'{played.name}: played in "{played.unit}", but measured in "{measured.unit}"; taken for the same'
        ]
    return []


class _About(Config):
    """The part of a stage 3 model's description that the labeller needs."""

    model_config = ConfigDict(extra="ignore")

    controls: tuple[WholeDescription, ...]
    seconds: PositiveFloat


def load_labeller(folder: Path) -> Labeller:
    """Load a labeller. Errors: TextureError when the folder is no model folder of stage 3."""
    if not folder.is_dir():
        raise TextureError(
            f"labeller: {shown(folder)}: no such folder; name a model folder of domain-adaptation"
        )
    try:
        _, spec = load_weights(folder, _About)
    except TextureError as error:
        raise TextureError(f"labeller: {error}") from None
    return Labeller(
        tuple(map(Control.from_description, spec.controls)), spec.seconds, partial(_read, folder)
    )


def _read(model: Path, folder: Path) -> "pd.DataFrame":
    """Return the mean label of each sound's clips.

    This runs stage 3's own command, since stages do not import one another. Errors: TextureError
    with what it says.
    """
    # Beside the sounds it would be a file that the user has named, which no run removes.
    with TemporaryDirectory(prefix="texture-labels-") as place:
        table = Path(place) / "labels.csv"
        options = {"--model": model, "--audio": folder, "--output": table}
        words = [str(word) for option in options.items() for word in option]
        command = [sys.executable, "-m", "domain_adaptation", "label", *words]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment_of_child()
        )
        if done.returncode:
            raise TextureError(
                f"labeller: {(done.stderr.strip().splitlines() or ['says nothing of why it failed'])[-1]}"
            )
        labels = read_table(table, ("file_name",))
    return labels.groupby("file_name").mean()  # type: ignore[return-value]

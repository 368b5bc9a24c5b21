"""What a network of stage 3 reads from sounds, as places on a synthesiser's sliders."""

import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
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
    """controls: what it reads. seconds: of a clip; longer sounds are read clip by clip.

    read: the folder of some wavs -> a row per sound that can be read, by its name within the
    folder, and a column per control, on this labeller's own sliders.
    """

    controls: tuple[Control, ...]
    seconds: float
    read: "Callable[[Path], pd.DataFrame]"

    def read_as(self, controls: Iterable[Control], folder: Path) -> "pd.DataFrame":
        """-> a row per sound, and of those of `controls` that it reads a column each, on the
        sliders of `controls`; NaN where the slider has no such place."""
        own = {control.name: control for control in self.controls}
        labels = self.read(folder)
        known = [control for control in controls if control.name in own]
        for control in known:
            labels[control.name] = on_slider(
                control, own[control.name], np.asarray(labels[control.name])
            )
        return labels.filter(items=[control.name for control in known])

    def check(self, controls: Sequence[Control], seconds: float, key: str) -> list[str]:
        """seconds: of the sounds that it is to read, as the config says under `key`. -> notes.

        Errors: UsageError when it reads none of these controls, or longer sounds only.
        """
        own = {control.name: control for control in self.controls}
        lacking = [control.name for control in controls if control.name not in own]
        if len(lacking) == len(controls):
            raise UsageError(
                f"labeller: reads {', '.join(own)}, but the synthesiser is played with {', '.join(lacking) or 'no controls'}"
            )
        if seconds < self.seconds:
            raise UsageError(
                f"{key}: {seconds:g}: the labeller reads clips of {self.seconds:g} s; let it have so much"
            )
        notes = [f"the labeller does not read {name}" for name in lacking]
        for control in controls:
            if control.name in own:
                notes += _notes(control, own[control.name])
        return notes


def on_slider(asked: Control, heard: Control, labels: "Sequence[float] | np.ndarray") -> np.ndarray:
    """labels: on the slider of `heard` -> the same physical values on that of `asked`; NaN where it
    has no such place.

    >>> on_slider(Control("rate", 10.0, 50.0, "/s"), Control("rate", 0.0, 100.0, "/s"), [0.1, 0.3, 0.5]).tolist()
    [0.0, 0.5, 1.0]
    """
    places = np.asarray(labels, dtype=np.float64)
    if _is_bare(asked) or _is_bare(heard):
        return places
    with np.errstate(all="ignore"):
        found = asked.to_slider(heard.to_physical(places))
    return np.where(np.isfinite(found), found, np.nan)


def _is_bare(control: Control) -> bool:
    """-> whether nobody knows what its 0 and 1 stand for, as of sounds that came without that."""
    return (control.low, control.high) == (0.0, 1.0) and control.unit in ("", "norm")


def _notes(asked: Control, heard: Control) -> list[str]:
    if _is_bare(asked) != _is_bare(heard):
        whose = "synthesiser" if _is_bare(asked) else "labeller"
        return [
            f"{asked.name}: nothing says what 0 and 1 stand for to the {whose}; taken for the same as to the other"
        ]
    if asked.unit != heard.unit:
        return [
            f'{asked.name}: asked in "{asked.unit}", but read in "{heard.unit}"; taken for the same'
        ]
    return []


class _About(Config):
    """What concerns us of what a model folder of stage 3 says of itself."""

    model_config = ConfigDict(extra="ignore")

    controls: tuple[WholeDescription, ...]
    seconds: PositiveFloat


def load_labeller(folder: Path) -> Labeller:
    """Errors: TextureError when that is no model folder of stage 3."""
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
    """The mean label of a sound's clips. By stage 3's own command, since stages do not import one
    another.

    Errors: TextureError with what it says.
    """
    table = folder / "labels.csv"
    options = {"--model": model, "--audio": folder, "--output": table}
    words = [str(word) for option in options.items() for word in option]
    command = [sys.executable, "-m", "domain_adaptation", "label", *words, "--overwrite"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment_of_child()
    )
    if done.returncode:
        raise TextureError(
            f"labeller: {(done.stderr.strip().splitlines() or ['says nothing of why it failed'])[-1]}"
        )
    return read_table(table, ("file_name",)).groupby("file_name").mean()  # type: ignore[return-value]

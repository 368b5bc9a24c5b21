"""The sounds that a synthesiser learns from, with their controls, read from a folder in MTCRNN's
format, as `export` writes it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from conditioned_synthesis.data.mtcrnn_format import Checked, control_of, read_folder
from conditioned_synthesis.instrument.automation import Automation
from texturelib.audio import read_clip, to_16_bit
from texturelib.controls import Control
from texturelib.errors import Rejected, TextureError, UsageError
from texturelib.files import shown
from texturelib.nearest import did_you_mean
from texturelib.progress import progress


@dataclass(frozen=True)
class Sounds:
    """Clips of one length, and the automation of their controls.

    clips: [clips, samples] int16. automations: by clip, one per control.
    """

    sample_rate: int
    clips: np.ndarray
    automations: list[list[Automation]]
    controls: tuple[Control, ...]

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def n_samples(self) -> int:
        """The length of each clip in samples."""
        return self.clips.shape[1]

    def shuffled(self, seed: int) -> "Sounds":
        """Return the same clips, each with the automation of another."""
        order = np.random.default_rng(seed).permutation(len(self))
        automations = list(self.automations)
        for clip, other in zip(order, np.roll(order, 1), strict=True):
            automations[clip] = self.automations[other]
        return replace(self, automations=automations)

    def samples(self, *place: int | slice) -> np.ndarray:
        """Return samples of the clips as float32, -1..1. place: an index or slice into `clips`."""
        return self.clips[place] / np.float32(2**15)

    def ranges(self) -> list[tuple[float, float]]:
        """Return the smallest and largest value of each control over all clips."""
        of_control = [
            np.concatenate([automations[index].values for automations in self.automations])
            for index in range(len(self.controls))
        ]
        return [(float(values.min()), float(values.max())) for values in of_control]

    def batch(
        self, clips: np.ndarray, starts: np.ndarray, n_samples: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return parts of clips with their controls.

        clips, starts: [batch], the rows and the first samples -> audio [batch, 1 + n_samples],
        which begins with the sample before; controls [batch, n_samples, n_controls].
        """
        audio = np.zeros((len(clips), 1 + n_samples), dtype=np.float32)
        values = np.empty((len(clips), n_samples, len(self.controls)), dtype=np.float32)
        for row, (clip, start) in enumerate(zip(clips, starts, strict=True)):
            before = max(start - 1, 0)
            part = self.samples(clip, slice(before, start + n_samples))
            audio[row, 1 + n_samples - len(part) :] = part
            seconds = np.arange(start, start + n_samples) / self.sample_rate
            for index, automation in enumerate(self.automations[clip]):
                values[row, :, index] = automation.at(seconds)
        return torch.from_numpy(audio), torch.from_numpy(values)


def read_sounds(folder: Path, controls: list[str] | None) -> Sounds:
    """Read the sounds in a folder. controls: those to learn, in this order; None takes all.

    Errors: TextureError with the first thing that is wrong in the folder; UsageError about
    `controls`.
    """
    checked, contents = read_folder(folder, folder, read_strings=True)
    for name in controls or []:
        if name not in checked.controls:
            raise UsageError(
                f'train.controls: no control "{name}" {did_you_mean(name, list(checked.controls))}'
            )
    names = tuple(controls or checked.controls)
    clips = np.empty((checked.n_clips, checked.n_samples), dtype=np.int16)
    for row, name in enumerate(progress(contents, "reading")):
        clips[row] = _clip(folder / name, checked)
    automations = [
        [_line(folder / name, control, content[control]) for control in names]
        for name, content in contents.items()
    ]
    first = next(iter(contents.values()))
    return Sounds(
        checked.sample_rate,
        clips,
        automations,
        tuple(control_of(name, first[name]) for name in names),
    )


def _clip(path: Path, checked: Checked) -> np.ndarray:
    try:
        return to_16_bit(read_clip(path, checked.sample_rate, checked.n_samples))
    except Rejected as reason:
        raise TextureError(f"{shown(path)}: {reason}") from None


def _line(path: Path, name: str, content: Mapping[str, Any]) -> Automation:
    times, values = (np.array(content[key], dtype=np.float64) for key in ("times", "values"))
    outside = values[(values < 0) | (values > 1)]
    if len(outside):
        raise TextureError(
            f"{shown(path.with_suffix('.params'))}: {name} is {outside[0]:g}; a synthesiser learns controls from 0 to 1"
        )
    return Automation(times, values)

"""The sounds that a synthesiser learns from, with their controls: read from a dataset folder, or
from a folder in MTCRNN's format, as `export` writes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from conditioned_synthesis.data.import_dataset import trajectories_of
from conditioned_synthesis.data.moments import Moments, moments_of
from conditioned_synthesis.data.mtcrnn_format import control_of, problem_of_line, read_folder
from conditioned_synthesis.instrument.automation import Automation, constant
from conditioned_synthesis.labels.table import controls_of, read_labelled
from texturelib.audio import mix_down, to_16_bit
from texturelib.controls import Control
from texturelib.dataset import Dataset, clip_at
from texturelib.errors import TextureError, UsageError
from texturelib.files import read_json, shown
from texturelib.nearest import did_you_mean
from texturelib.progress import progress

TRAIN = "train"
"""The part of a set that is trained on, in the column `split`; all others are held out."""

_TIMES = 1000  # of a clip, at which a control's mean is taken


@dataclass(frozen=True)
class Sounds:
    """Clips of one length, and the automation of their controls.

    clips: int16, [clips, samples], or [clips, samples, channels] where these are several. automations:
    by clip, one per control. split: by clip, "train" or the part of the set that it is held out in;
    None where nothing says which clips are to be held out. moments: of recordings that the clips are
    made of; None where nothing says that.
    """

    sample_rate: int
    clips: np.ndarray
    automations: list[list[Automation]]
    controls: tuple[Control, ...]
    split: tuple[str, ...] | None = None
    moments: Moments | None = None

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def n_samples(self) -> int:
        """The length of each clip in samples."""
        return self.clips.shape[1]

    @property
    def n_channels(self) -> int:
        return 1 if self.clips.ndim == 2 else self.clips.shape[2]

    def shuffled(self, seed: int) -> "Sounds":
        """Return the same clips, each with the automation of another."""
        order = np.random.default_rng(seed).permutation(len(self))
        automations = list(self.automations)
        for clip, other in zip(order, np.roll(order, 1), strict=True):
            automations[clip] = self.automations[other]
        return replace(self, automations=automations)

    def samples(self, *place: int | slice | np.ndarray) -> np.ndarray:
        """Return samples of the clips as float32, -1..1. place: an index into `clips`."""
        return self.clips[place] / np.float32(2**15)

    def means(self, rows: np.ndarray) -> np.ndarray:
        """Return the mean of each control over each of these clips, [rows, controls]."""
        times = (np.arange(_TIMES) + 0.5) / _TIMES * self.n_samples / self.sample_rate
        return np.array(
            [[each.at(times).mean() for each in self.automations[int(row)]] for row in rows]
        ).reshape(len(rows), len(self.controls))

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

        clips, starts: [batch], the rows and the first samples -> audio [batch, 1 + n_samples] or
        [batch, 1 + n_samples, channels], which begins with the sample before; controls [batch,
        n_samples, n_controls].
        """
        audio = np.zeros((len(clips), 1 + n_samples, *self.clips.shape[2:]), dtype=np.float32)
        values = np.empty((len(clips), n_samples, len(self.controls)), dtype=np.float32)
        for row, (clip, start) in enumerate(zip(clips, starts, strict=True)):
            before = max(start - 1, 0)
            part = self.samples(clip, slice(before, start + n_samples))
            audio[row, 1 + n_samples - len(part) :] = part
            seconds = np.arange(start, start + n_samples) / self.sample_rate
            for index, automation in enumerate(self.automations[clip]):
                values[row, :, index] = automation.at(seconds)
        return torch.from_numpy(audio), torch.from_numpy(values)


def read_sounds(
    folder: Path,
    controls: Sequence[str] | None,
    channels: Callable[[int], int] = lambda of_clips: of_clips,
) -> Sounds:
    """Read the sounds in a folder: a dataset folder, or wavs with .params files beside them.

    Args:
        folder: of the sounds.
        controls: those to learn, in this order; None takes all.
        channels: returns how many channels are wanted of clips that have so many, as
            `Synthesiser.channels_learnt` does; where it says 1, clips are mixed down.

    Errors: TextureError with the first thing that is wrong in the folder; UsageError about
    `controls`.
    """
    is_dataset = (folder / "dataset.json").is_file()
    return (_of_dataset if is_dataset else _of_mtcrnn)(folder, controls, channels)


def _of_dataset(
    folder: Path, wanted: Sequence[str] | None, channels: Callable[[int], int]
) -> Sounds:
    dataset = read_labelled(folder)
    described = {control.name: control for control in controls_of(dataset)}
    names = _names(wanted, list(described))
    automations = _automations(dataset, names)
    return Sounds(
        dataset.sample_rate,
        _clips(
            [dataset.path(row) for row in range(len(dataset))],
            dataset.sample_rate,
            dataset.n_samples,
            dataset.n_channels,
            channels,
        ),
        automations,
        tuple(described[name] for name in names),
        _split(dataset),
        moments_of(dataset),
    )


def _of_mtcrnn(
    folder: Path, wanted: Sequence[str] | None, channels: Callable[[int], int]
) -> Sounds:
    checked, contents = read_folder(folder, folder, read_strings=True)
    names = _names(wanted, checked.controls)
    automations = [
        [
            _line(folder / name.with_suffix(".params"), control, content[control])
            for control in names
        ]
        for name, content in contents.items()
    ]
    first = next(iter(contents.values()))
    return Sounds(
        checked.sample_rate,
        _clips(
            [folder / name for name in contents],
            checked.sample_rate,
            checked.n_samples,
            1,
            channels,
        ),
        automations,
        tuple(control_of(name, first[name]) for name in names),
    )


def _names(wanted: Sequence[str] | None, there: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the controls to learn. Errors: UsageError when one is not there."""
    for name in wanted or ():
        if name not in there:
            raise UsageError(f'train.controls: no control "{name}" {did_you_mean(name, there)}')
    return tuple(wanted or there)


def _clips(
    paths: Sequence[Path],
    sample_rate: int,
    n_samples: int,
    n_channels: int,
    channels: Callable[[int], int],
) -> np.ndarray:
    """Return the clips as `Sounds.clips`. n_channels: of the files."""
    n_wanted = channels(n_channels)
    if n_wanted not in (1, n_channels):
        raise UsageError(
            f"synthesiser: learns {n_wanted} channels of clips that have {n_channels}; it should learn 1 or all"
        )
    shape = (len(paths), n_samples) if n_wanted == 1 else (len(paths), n_samples, n_wanted)
    # Filled clip by clip, as there may be no memory for two copies.
    clips = np.empty(shape, dtype=np.int16)
    for row, path in enumerate(progress(paths, "reading")):
        samples = clip_at(path, sample_rate, n_samples, n_channels)
        clips[row] = to_16_bit(mix_down(samples) if n_wanted == 1 else samples)
    return clips


def _automations(dataset: Dataset, names: Sequence[str]) -> list[list[Automation]]:
    """Return the automations of a dataset's clips: the labels, or the trajectories of an imported
    one."""
    if trajectories := trajectories_of(dataset):
        paths = [dataset.folder / trajectories[name] for name in dataset.metadata["file_name"]]
        return [_trajectories(path, names, dataset.seconds) for path in paths]
    table = shown(dataset.folder / "metadata.csv")
    values = dataset.metadata[list(names)].to_numpy(float)
    for row, column in np.argwhere((values < 0) | (values > 1)):
        # The first line of the file has the names.
        raise TextureError(
            f"{table}: row {row + 2}: {names[column]} is {values[row, column]:g}; a synthesiser learns controls from 0 to 1, "
            'as "conditioned-synthesis export" writes them'
        )
    return [[constant(value) for value in row] for row in values.tolist()]


def _trajectories(path: Path, names: Sequence[str], seconds: float) -> list[Automation]:
    content = read_json(path)
    automations = []
    for name in names:
        line = content.get(name, {}) if isinstance(content, dict) else {}
        if problem := problem_of_line(line, seconds):
            raise TextureError(f"{shown(path)}: {name}: {problem}")
        automations.append(_line(path, name, line))
    return automations


def _line(path: Path, name: str, content: Mapping[str, Any]) -> Automation:
    times, values = (np.array(content[key], dtype=np.float64) for key in ("times", "values"))
    outside = values[(values < 0) | (values > 1)]
    if len(outside):
        raise TextureError(
            f"{shown(path)}: {name} is {outside[0]:g}; a synthesiser learns controls from 0 to 1"
        )
    return Automation(times, values)


def _split(dataset: Dataset) -> tuple[str, ...] | None:
    """Return the part of the set that each clip is in; None where not both some are for training
    and some are held out."""
    if "split" not in dataset.metadata:
        return None
    parts = tuple(str(part) for part in dataset.metadata["split"])
    n_train = parts.count(TRAIN)
    return parts if 0 < n_train < len(parts) else None

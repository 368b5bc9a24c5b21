"""Export labelled clips in MTCRNN's format: 16-bit mono wavs, each with a .params file of its
controls."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from conditioned_synthesis.config import SynthesisConfig
from conditioned_synthesis.data.import_dataset import trajectories_of
from conditioned_synthesis.data.mtcrnn_format import Checked, check_folder, params
from conditioned_synthesis.instrument.automation import constant
from conditioned_synthesis.labels.table import (
    check_files,
    controls_of,
    label_ranges,
    normalise,
    physical,
    read_labelled,
)
from texturelib.audio import read_mono, write_wav
from texturelib.controls import Control
from texturelib.dataset import Dataset
from texturelib.errors import Rejected, TextureError, UsageError
from texturelib.files import read_json, shown, write_json
from texturelib.jobs import rejected_of, run_jobs, write_rejected
from texturelib.nearest import did_you_mean
from texturelib.outputs import Output


class Clip(NamedTuple):
    """A clip to export.

    values: by control, 0..1. trajectories: of imported clips, a file with the trajectories of these
    controls, which replace the values.
    """

    source: Path
    stem: str
    values: Mapping[str, float]
    trajectories: Path | None = None


class Form(NamedTuple):
    """The properties that all exported clips share.

    controls: in the order of the .params files; low and high are what the values 0 and 1 stand for.
    """

    sample_rate: int
    n_samples: int
    controls: Sequence[Control]


def export(config: SynthesisConfig, output: Output, *, workers: int | None = None) -> Checked:
    """Write the clips into `output`, check them by MTCRNN's rules, and return what the check found.

    Values are normalised by the smallest and largest label of the whole labelled set, which
    normalisation.json keeps; a control whose labels are all the same is 0.0 throughout.
    Trajectories stay as they are. Sounds of several channels are mixed down, and any rate becomes
    that of the export.
    """
    dataset = read_labelled(config.exported_folder)
    for name in config.export.controls or []:
        if name not in dataset.controls:
            raise UsageError(
                f'export.controls: no control "{name}" {did_you_mean(name, dataset.controls)}'
            )
    controls = config.export.controls or dataset.controls
    trajectories = trajectories_of(dataset)
    ranges = (
        dict.fromkeys(dataset.controls, (0.0, 1.0)) if trajectories else _ranges(config, dataset)
    )
    values = normalise(
        dataset.metadata.filter(items=controls), {name: ranges[name] for name in controls}
    ).to_dict("records")
    names = list(dataset.metadata["file_name"])
    stems = flat_stems(names)
    check_files(dataset, [*names, *trajectories.values()])
    described = {control.name: control for control in controls_of(dataset)}
    sample_rate = config.export.sample_rate
    form = Form(
        sample_rate,
        round(dataset.n_samples * sample_rate / dataset.sample_rate),
        [_between(described[name], *ranges[name]) for name in controls],
    )
    clips = {
        name: Clip(
            dataset.folder / name,
            stems[name],
            {control: float(row[control]) for control in controls},
            dataset.folder / trajectories[name] if trajectories else None,
        )
        for name, row in zip(names, values, strict=True)
    }
    output.begin()
    journal = output.folder / "journal.jsonl"
    work = partial(export_clip, output.folder, form)
    outcomes = run_jobs(
        clips, work, journal, label="exporting", executor=config.executor, workers=workers
    )
    rejected = rejected_of(outcomes)
    write_rejected(
        output.folder,
        rejected,
        len(outcomes),
        config.export.max_rejected,
        key="export.max_rejected",
    )
    ends = {name: dict(zip(("min", "max"), ranges[name], strict=True)) for name in controls}
    write_json(output.folder / "normalisation.json", ends)
    checked = check_folder(output.folder)
    output.finish(discard=(journal.name,))
    return checked


def export_clip(folder: Path, form: Form, clip: Clip) -> None:
    """Write one clip's wav and .params.

    Errors: Rejected when the clip cannot be read, or has another length than the others.
    """
    samples = read_mono(clip.source, form.sample_rate)
    # Resampled from another rate than the others, a clip may have a sample more or fewer, and
    # MTCRNN needs one length.
    if abs(len(samples) - form.n_samples) > 1:
        found, others = (
            n_samples / form.sample_rate for n_samples in (len(samples), form.n_samples)
        )
        raise Rejected(f"lasts {found:g} s, but the dataset's clips last {others:g} s")
    samples = np.pad(samples, (0, 1), mode="edge")[: form.n_samples]
    write_wav(folder / f"{clip.stem}.wav", samples, form.sample_rate)
    automations = {name: constant(value) for name, value in clip.values.items()}
    content = params(
        f"{clip.stem}.wav", automations, form.n_samples / form.sample_rate, form.controls
    )
    if clip.trajectories:
        found = read_json(clip.trajectories)
        if not isinstance(found, dict):
            raise Rejected(f"{shown(clip.trajectories)} holds no trajectories by control")
        content |= {name: line for name, line in found.items() if name in clip.values}
    write_json(folder / f"{clip.stem}.params", content)


def _between(control: Control, low: float, high: float) -> Control:
    """Return the control with a slider that runs between these labels."""
    return dataclasses.replace(
        control, low=float(physical(control, low)), high=float(physical(control, high))
    )


def _ranges(config: SynthesisConfig, dataset: Dataset) -> dict[str, tuple[float, float]]:
    """Return, by control, the labels that become 0 and 1."""
    if config.export.source == "labelled":
        return label_ranges(dataset.metadata.filter(items=dataset.controls))
    path = config.balanced_folder / "balance.json"
    try:
        of_set = read_json(path)["ranges"]
        return {
            name: (float(of_set[name]["min"]), float(of_set[name]["max"]))
            for name in dataset.controls
        }
    except (KeyError, TypeError, ValueError, OverflowError):
        raise TextureError(
            f'{shown(path)}: lacks the ranges of its labels; run "conditioned-synthesis balance" anew'
        ) from None


def flat_stems(file_names: Iterable[str]) -> dict[str, str]:
    """Return, by file name of a dataset, a file stem for a folder without sub-folders, unique also
    where case does not count.

    >>> flat_stems(["audio/dev/1.wav", "audio/dev_1.wav", "audio/2.wav"])
    {'audio/2.wav': '2', 'audio/dev/1.wav': 'dev_1', 'audio/dev_1.wav': 'dev_1_2'}
    """
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(file_names):
        path = PurePosixPath(name)
        parts = path.with_suffix("").parts
        plain = stem = "_".join(parts[1:] if parts[0] == "audio" and len(parts) > 1 else parts)
        number = 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{plain}_{number}"
        taken.add(stem.casefold())
        stems[name] = stem
    return stems

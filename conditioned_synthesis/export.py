"""Labelled clips in the form that MTCRNN reads: 16-bit mono wavs, each with a .params file of its controls."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from conditioned_synthesis.config import SynthesisConfig
from conditioned_synthesis.import_mtcrnn import trajectories_of
from conditioned_synthesis.labels import label_ranges, normalise, read_labelled
from conditioned_synthesis.mtcrnn import Checked, check_folder, params
from texturelib.audio import read_mono, write_wav
from texturelib.dataset import Dataset
from texturelib.errors import UsageError
from texturelib.files import read_json, write_json
from texturelib.jobs import rejected_of, run_jobs, write_rejected
from texturelib.nearest import did_you_mean
from texturelib.outputs import Output


class Clip(NamedTuple):
    """A clip to export. values: by control, in the order of the .params file, 0..1. trajectories: a file that says more of these
    controls, which then counts; of imported clips."""

    source: Path
    stem: str
    values: Mapping[str, float]
    trajectories: Path | None = None


def export(config: SynthesisConfig, output: Output, *, workers: int | None = None) -> Checked:
    """Write the clips into `output`, and read them back under MTCRNN's rules. -> what was found there.

    Values are normalised by the smallest and largest label of the whole labelled set, which normalisation.json keeps; a
    control whose labels are all the same is 0.0 throughout. Trajectories stay as they are.
    """
    dataset = read_labelled(config.exported_folder)
    for name in config.export.controls or []:
        if name not in dataset.controls:
            raise UsageError(f'export.controls: no control "{name}" {did_you_mean(name, dataset.controls)}')
    controls = config.export.controls or dataset.controls
    ranges = _ranges(config, dataset)
    values = normalise(dataset.metadata.filter(items=controls), {name: ranges[name] for name in controls}).to_dict("records")
    names = list(dataset.metadata["file_name"])
    stems = flat_stems(names)
    trajectories = trajectories_of(dataset)
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
    work = partial(export_clip, output.folder, config.export.sample_rate)
    outcomes = run_jobs(clips, work, journal, label="exporting", workers=workers)
    rejected = rejected_of(outcomes)
    write_rejected(output.folder, rejected, len(outcomes), config.export.max_rejected)
    ends = {name: dict(zip(("min", "max"), ranges[name], strict=True)) for name in controls}
    write_json(output.folder / "normalisation.json", ends)
    checked = check_folder(output.folder)
    journal.unlink()
    output.finish()
    return checked


def export_clip(folder: Path, sample_rate: int, clip: Clip) -> None:
    """Write one clip's wav and .params. Errors: Rejected when the clip cannot be read."""
    samples = read_mono(clip.source, sample_rate)
    write_wav(folder / f"{clip.stem}.wav", samples, sample_rate)
    content = params(f"{clip.stem}.wav", clip.values, len(samples) / sample_rate)
    if clip.trajectories:
        content |= {name: line for name, line in read_json(clip.trajectories).items() if name in clip.values}
    write_json(folder / f"{clip.stem}.params", content)


def _ranges(config: SynthesisConfig, dataset: Dataset) -> dict[str, tuple[float, float]]:
    """-> by control: the labels that become 0 and 1."""
    if trajectories_of(dataset):
        return dict.fromkeys(dataset.controls, (0.0, 1.0))
    if config.export.source == "labelled":
        return label_ranges(dataset.metadata.filter(items=dataset.controls))
    of_set = read_json(config.balanced_folder / "balance.json")["ranges"]
    return {name: (of_set[name]["min"], of_set[name]["max"]) for name in dataset.controls}


def flat_stems(file_names: Iterable[str]) -> dict[str, str]:
    """-> by file name of a dataset: a stem for a folder without sub-folders, unique also where case does not count.

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

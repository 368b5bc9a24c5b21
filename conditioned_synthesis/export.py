"""The balanced subset in the form that MTCRNN reads: 16-bit mono wavs, each with a .params file of its controls."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from conditioned_synthesis.config import SynthesisConfig
from conditioned_synthesis.labels import normalise, read_labelled
from conditioned_synthesis.mtcrnn import Checked, check_folder, params
from texturelib.audio import read_mono, write_wav
from texturelib.errors import UsageError
from texturelib.files import read_json, write_json
from texturelib.jobs import rejected_of, run_jobs, write_rejected
from texturelib.nearest import did_you_mean
from texturelib.outputs import Output


class Clip(NamedTuple):
    """A clip to export. values: by control, in the order of the .params file, 0..1."""

    source: Path
    stem: str
    values: Mapping[str, float]


def export(config: SynthesisConfig, output: Output, *, workers: int | None = None) -> Checked:
    """Write the balanced subset into `output`, and read it back under MTCRNN's rules. -> what was found there.

    Values are normalised by the smallest and largest label of the whole labelled set, which normalisation.json keeps; a
    control whose labels are all the same is 0.0 throughout.
    """
    dataset = read_labelled(config.balanced_folder)
    for name in config.export.controls or []:
        if name not in dataset.controls:
            raise UsageError(f'export.controls: no control "{name}" {did_you_mean(name, dataset.controls)}')
    controls = config.export.controls or dataset.controls
    of_set = read_json(config.balanced_folder / "balance.json")["ranges"]
    ranges = {name: (of_set[name]["min"], of_set[name]["max"]) for name in controls}
    values = normalise(dataset.metadata.filter(items=controls), ranges).to_dict("records")
    names = list(dataset.metadata["file_name"])
    stems = flat_stems(names)
    clips = {
        name: Clip(dataset.folder / name, stems[name], {control: float(row[control]) for control in controls})
        for name, row in zip(names, values, strict=True)
    }
    output.begin()
    journal = output.folder / "journal.jsonl"
    work = partial(export_clip, output.folder, config.export.sample_rate)
    outcomes = run_jobs(clips, work, journal, label="exporting", workers=workers)
    rejected = rejected_of(outcomes)
    write_rejected(output.folder, rejected, len(outcomes), config.export.max_rejected)
    write_json(output.folder / "normalisation.json", {name: of_set[name] for name in controls})
    checked = check_folder(output.folder)
    journal.unlink()
    output.finish()
    return checked


def export_clip(folder: Path, sample_rate: int, clip: Clip) -> None:
    """Write one clip's wav and .params. Errors: Rejected when the clip cannot be read."""
    samples = read_mono(clip.source, sample_rate)
    write_wav(folder / f"{clip.stem}.wav", samples, sample_rate)
    write_json(folder / f"{clip.stem}.params", params(f"{clip.stem}.wav", clip.values, len(samples) / sample_rate))


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

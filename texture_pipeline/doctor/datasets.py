"""Check that existing dataset folders are complete: the table names the files, and the files are
as it says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from texture_pipeline.doctor.findings import Finding
from texture_pipeline.doctor.plan import Plan
from texturelib.dataset import read_dataset
from texturelib.errors import TextureError
from texturelib.evenly import evenly_spread
from texturelib.files import shown
from texturelib.sound_files import find_audio

_AREA = "data"
_DECODED = 16  # clips of each, spread evenly
_READ = 5000  # at most so many .params are read here; the training reads them all


def look_at_datasets(plan: Plan) -> Iterator[Finding]:
    """Check the dataset folders that a command reads and that no planned command makes."""
    seen: set[Path] = set()
    for step in plan.running():
        for name, path in step.inputs.items():
            is_dataset = name in ("synthetic", "real", "labelled", "balanced", "sounds")
            if (
                is_dataset
                and path not in seen
                and not plan.will_make(path)
                and (path / "dataset.json").exists()
            ):
                seen.add(path)
                try:
                    is_labelled = name != "real" and step.command != "augment"
                    yield from _whole(path, must_have_controls=is_labelled)
                except TextureError as error:
                    yield Finding(_AREA, "NO", str(error), "make it anew, or mend it")
    for step in plan.running("train"):
        config: Any = step.job.config
        folder = config.sounds_folder
        if folder not in seen and not plan.will_make(folder) and folder.is_dir():
            from conditioned_synthesis.data.mtcrnn_format import read_folder

            seen.add(folder)
            try:
                n_sounds = _check_pairs(folder)
                said = (
                    read_folder(folder, folder, read_strings=True)[0]
                    if n_sounds <= _READ
                    else f"{n_sounds} sounds"
                )
                yield Finding(_AREA, "ok", f"{shown(folder)}: {said}")
            except TextureError as error:
                yield Finding(_AREA, "NO", str(error))


def _check_pairs(folder: Path) -> int:
    """Return the number of sounds. Errors: TextureError when one has no .params."""
    from conditioned_synthesis.data.mtcrnn_format import find_pairs

    pairs = find_pairs(folder, folder)
    for sound, params in pairs.items():
        if not params.exists():
            raise TextureError(f"{shown(params)}: no such file, and {shown(sound)} needs it")
    return len(pairs)


def _whole(folder: Path, must_have_controls: bool) -> Iterator[Finding]:
    dataset = read_dataset(folder)
    if must_have_controls and not dataset.controls:
        raise TextureError(f"{shown(folder / 'metadata.csv')}: holds no labels")
    named = set(dataset.metadata["file_name"])
    there = {path.relative_to(folder).as_posix() for path in find_audio(folder / "audio")}
    if missing := sorted(name for name in named - there if not (folder / name).is_file()):
        more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise TextureError(
            f"{shown(folder / missing[0])}: no such file, but metadata.csv names it{more}"
        )
    for index in evenly_spread(len(dataset), _DECODED):
        if not dataset.clip(int(index)).any():
            raise TextureError(
                f"{shown(dataset.path(int(index)))}: is silent, so it has no features"
            )
    said = f"{len(dataset)} clips of {dataset.seconds:g} s at {dataset.sample_rate} Hz"
    yield Finding(
        _AREA,
        "ok",
        f"{shown(folder)}: {said}, all named files are there, {min(len(dataset), _DECODED)} were decoded",
    )
    if unnamed := sorted(there - named):
        words = f"{len(unnamed)} files that metadata.csv does not name are not used (the first: {unnamed[0]})"
        yield Finding(_AREA, "note", f"{shown(folder)}: {words}")

"""Is there room for what the commands write?"""

import math
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from texture_pipeline.doctor.findings import Finding
from texture_pipeline.doctor.flow import Clips, Flow
from texture_pipeline.doctor.plan import Plan, Step
from texturelib.audio import wav_bytes
from texturelib.files import shown

_AREA = "disk"
_MARGIN = 1.2  # what is asked for beyond what is written: half-written files, tables, blocks that are not full
_FIXED = 20e6  # of the pictures and pages of all commands together
_FILE = 4096  # bytes of the last block of a file, half of which is empty, and of its row in tables and journals
_PICTURE = 150e3
# Four bytes each: the weights, and in a checkpoint, of which the next is written beside, weights, the best ones and Adam's two.
_OF_A_PARAMETER = 4 * (1 + 2 * 4)


@dataclass(frozen=True)
class Written:
    """By a command: bytes and files; `folder`: where to."""

    folder: Path
    n_bytes: float
    n_files: int


def look_at_disk(plan: Plan, flow: Flow, parameters: Mapping[str, int], details: dict[str, Any]) -> Iterator[Finding]:
    """parameters: of the networks, by the name of the config. details: is filled, for programs."""
    by_disk: dict[int, list[Written]] = defaultdict(list)
    unknown = []
    for step in plan.running():
        written = list(written_by(step, flow, parameters))
        if not written:
            unknown.append(step.name)
        for each in written:
            by_disk[_there(each.folder).stat().st_dev].append(each)
        details[step.name] = round(sum(each.n_bytes for each in written)) if written else None
    for parts in by_disk.values():
        yield from _room(parts)
    if unknown:
        yield Finding(_AREA, "note", f"how much {', '.join(unknown)} will write is not known yet, and not counted")


def _room(parts: list[Written]) -> Iterator[Finding]:
    """parts: all of one disk."""
    place = _there(parts[0].folder)
    of_commands = {part.folder: part for part in parts}
    need = _FIXED + _MARGIN * sum(max(0.0, part.n_bytes - _size(folder)) for folder, part in of_commands.items())
    n_files = sum(part.n_files for part in parts)
    free, free_files = shutil.disk_usage(place).free, os.statvfs(place).f_favail
    words = f"about {in_words(need)} will be written to the disk of {shown(place)}, margin included; {in_words(free)} are free"
    if not os.access(place, os.W_OK):
        yield Finding(_AREA, "NO", f"{shown(place)} cannot be written", "let it be, or name another output")
    if need > free:
        yield Finding(_AREA, "NO", words, "make room, or name an output on another disk")
    elif 0 < free_files < n_files:
        yield Finding(_AREA, "NO", f"{n_files} files will be written, and {shown(place)} has room for {free_files}", "make room")
    else:
        yield Finding(_AREA, "ok", words)


def _there(folder: Path) -> Path:
    """-> the nearest folder that is there; an output may be a link to another disk."""
    place = Path(os.path.realpath(folder))
    return next(path for path in (place, *place.parents) if path.is_dir())


def _size(folder: Path) -> int:
    """-> bytes of what is there already, which is gone on with or replaced."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0


def in_words(n_bytes: float) -> str:
    """
    >>> in_words(3e6), in_words(123e6), in_words(45.6e9)
    ('3 MB', '123 MB', '45.6 GB')
    """
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"


def written_by(step: Step, flow: Flow, parameters: Mapping[str, int]) -> Iterator[Written]:
    """Yield nothing where it is not known yet."""
    config: Any = step.job.config
    weights = parameters.get(step.job.path.name, 0)
    match step.job.stage.package, step.command:
        case "synthetic_datasets" | "real_datasets", _:
            sounds = flow.at(step.folder / "recordings" if step.command == "simulate-recordings" else step.folder)
            yield from _clips(step.folder, sounds)
        case "domain_adaptation", "label":
            yield from _clips(step.folder, flow.at(config.real), are_links=_one_disk(config.real, step.folder))
        case "domain_adaptation", _:
            yield Written(step.folder, _OF_A_PARAMETER * weights, 20)
            for name in ("synthetic", "real") if step.command != "train-extractor" else ("synthetic",):
                if clips := flow.at(getattr(config, name)):
                    samples = clips.n * math.ceil(clips.seconds * config.features.sample_rate)
                    yield Written(config.output / "clips" / name, 2 * samples, 1)
        case "conditioned_synthesis", "balance":
            yield from _clips(step.folder, flow.at(config.labelled), are_links=_one_disk(config.labelled, step.folder))
        case "conditioned_synthesis", "export":
            yield from _clips(step.folder, flow.at(step.folder), files_each=2)
        case "conditioned_synthesis", command:
            n_sounds, seconds = played(command, config, len(_controls(config, flow)))
            rate = _rate(config, flow)
            n_bytes = wav_bytes(seconds, rate) + n_sounds * _PICTURE
            model = _OF_A_PARAMETER * weights if command in ("train", "evaluate") else 4 * weights
            yield Written(step.folder, n_bytes + (0 if command == "analyse" else model), 3 * n_sounds + 10)


def _clips(folder: Path, clips: Clips | None, are_links: bool = False, files_each: int = 1) -> Iterator[Written]:
    if clips:
        n_files = clips.n * files_each
        yield Written(folder, _FILE * n_files + (0 if are_links else clips.n_bytes), n_files)


def _one_disk(one: Path, other: Path) -> bool:
    return _there(one).stat().st_dev == _there(other).stat().st_dev


def _controls(config: Any, flow: Flow) -> tuple[str, ...]:
    sounds = flow.at(config.sounds_folder)
    return tuple(config.train.controls or (sounds.controls if sounds else ()))


def _rate(config: Any, flow: Flow) -> int:
    sounds = flow.at(config.sounds_folder)
    return sounds.sample_rate if sounds else config.export.sample_rate


def played(command: str, config: Any, n_controls: int) -> tuple[int, float]:
    """-> how many sounds, and how many seconds in all, lie in the folder at a time."""
    match command:
        case "analyse":
            return 2, 0.0  # pictures
        case "train":
            n = math.ceil(config.synthesiser.num_steps / config.synthesiser.checkpoint)
            return n, 2.0 * n
        case "generate":
            n = n_controls * (config.generate.values + 1)
            return n, n_controls * (config.generate.values * config.generate.seconds + config.generate.sweep_seconds)
        case "linearise":
            n = 2 * n_controls * config.linearise.values * config.linearise.seeds
            return n, n * config.linearise.seconds
        case "evaluate":
            settings = config.evaluate
            n_instruments = 4 + len(settings.also)
            n = n_instruments * (n_controls * settings.values * settings.seeds + 2 * settings.clips)
            return n, n * settings.seconds
    return 0, 0.0

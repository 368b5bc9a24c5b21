"""Check that the disks have room for what the commands write."""

import os
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from texture_pipeline.doctor.findings import Finding
from texture_pipeline.doctor.flow import Flow
from texture_pipeline.doctor.plan import Plan
from texturelib.costs import Written, nearest_folder
from texturelib.files import shown

_AREA = "disk"
# Room asked for beyond the estimate: half-written files, tables, blocks that are not full.
_MARGIN = 1.2
_FIXED = 20e6  # bytes of all commands' pictures and pages


def look_at_disk(
    plan: Plan, flow: Flow, parameters: Mapping[str, int], details: dict[str, Any]
) -> Iterator[Finding]:
    """Check every disk. parameters: number of parameters of the networks, by the name of the
    config. details: receives figures for programs."""
    by_disk: dict[int, list[Written]] = defaultdict(list)
    unknown = []
    for step in plan.running():
        written = list(step.costs.writes(step, flow, parameters.get(step.config_name, 0)))
        if not written:
            unknown.append(step.name)
        for each in written:
            by_disk[nearest_folder(each.folder).stat().st_dev].append(each)
        details[step.name] = round(sum(each.n_bytes for each in written)) if written else None
    for parts in by_disk.values():
        yield from _room(parts)
    if unknown:
        yield Finding(
            _AREA,
            "note",
            f"how much {', '.join(unknown)} will write is not known yet, and not counted",
        )


def _room(parts: list[Written]) -> Iterator[Finding]:
    """Check one disk. parts: everything that will be written to it."""
    place = nearest_folder(parts[0].folder)
    of_commands = {part.folder: part for part in parts}
    need = _FIXED + _MARGIN * sum(
        max(0.0, part.n_bytes - _size(folder)) for folder, part in of_commands.items()
    )
    n_files = sum(part.n_files for part in parts)
    free, free_files = shutil.disk_usage(place).free, os.statvfs(place).f_favail
    words = f"about {in_words(need)} will be written to the disk of {shown(place)}, margin included; {in_words(free)} are free"
    if not os.access(place, os.W_OK):
        yield Finding(
            _AREA, "NO", f"{shown(place)} cannot be written", "let it be, or name another output"
        )
    if need > free:
        yield Finding(_AREA, "NO", words, "make room, or name an output on another disk")
    elif 0 < free_files < n_files:
        yield Finding(
            _AREA,
            "NO",
            f"{n_files} files will be written, and {shown(place)} has room for {free_files}",
            "make room",
        )
    else:
        yield Finding(_AREA, "ok", words)


def _size(folder: Path) -> int:
    """Return the number of bytes that exist already, which will be continued or replaced."""
    return (
        sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
        if folder.is_dir()
        else 0
    )


def in_words(n_bytes: float) -> str:
    """Format bytes for people.

    >>> in_words(3e6), in_words(123e6), in_words(45.6e9)
    ('3 MB', '123 MB', '45.6 GB')
    """
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"

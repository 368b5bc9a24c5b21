"""Tell the toolkit's files in a folder from those of others."""

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

from texturelib.made._parts import target_of_part


class Found(NamedTuple):
    """The content of a folder.

    n_ours: how many files the toolkit made there. strangers: names of all others, sorted. apart:
    folders beneath it that do not belong to it, such as other outputs; their content does not
    count.
    """

    n_ours: int
    strangers: list[str]
    apart: list[Path]


def look_through(
    folder: Path, ours: Collection[str], is_apart: Callable[[Path, Collection[str]], bool]
) -> Found:
    """List the content of a folder; links are not followed.

    ours: names of what the toolkit made there. is_apart: called for every folder beneath it, with
    the names that are in it.
    """
    n_ours, strangers, apart = 0, [], []
    waiting = [(folder, "")]
    while waiting:
        at, prefix = waiting.pop()
        with os.scandir(at) as entries:
            listed = list(entries)
        if prefix and is_apart(at, {entry.name for entry in listed}):
            apart.append(at)
            continue
        for entry in listed:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                waiting.append((Path(entry.path), f"{name}/"))
            elif entry.is_file(follow_symlinks=False) and _is_ours(name, ours):
                n_ours += 1
            else:
                strangers.append(name)
    return Found(n_ours, sorted(strangers), sorted(apart))


def _is_ours(name: str, ours: Collection[str]) -> bool:
    if name in ours:
        return True
    parent, _, last = name.rpartition("/")
    target = target_of_part(last)
    return target is not None and (f"{parent}/{target}" if parent else target) in ours

"""The content of an output folder: the toolkit's files, files of others, and other outputs."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from texturelib.errors import TextureError, UsageError
from texturelib.files import printable, read_json, shown
from texturelib.locks import LOCK, BeingWrittenError, check_free, is_lock_file
from texturelib.made import LIST, Found, is_listed_folder, look_through, names_in, target_of_part
from texturelib.older_outputs import names_of_older

RUN = "run.json"
FIRST = (RUN, "config.json")
"""The files that are written before all others."""


def read_run(folder: Path) -> dict[str, Any] | None:
    """Return the content of run.json, None where there is none or it is not ours."""
    if not (folder / RUN).is_file() or (folder / RUN).is_symlink():
        return None
    run = read_json(folder / RUN)
    kinds = {
        "command": str,
        "settings": dict,
        "inputs": dict,
        "fingerprint": (str, type(None)),
        "finished": bool,
    }
    is_ours = isinstance(run, dict) and all(
        isinstance(run.get(key, ...), kind) for key, kind in kinds.items()
    )
    return run if is_ours else None


def is_empty(folder: Path) -> bool:
    """Return whether the folder holds nothing but what a run leaves that was killed before it
    began."""
    return all(_is_left_behind(path) for path in folder.iterdir())


def _is_left_behind(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    if path.name == LOCK:
        return is_lock_file(path)
    if path.name == LIST:
        return is_listed_folder(path.parent)
    return target_of_part(path.name) in (LIST, *FIRST)


def names_of(folder: Path, before: Mapping[str, Any] | None) -> set[str]:
    """Return the names of what the toolkit made in an output. before: the content of its
    run.json."""
    if is_listed_folder(folder) or before is None:
        return names_in(folder)
    return names_of_older(folder, before["command"])


def look_through_output(folder: Path, ours: Collection[str]) -> Found:
    return look_through(folder, {*ours, LOCK}, _is_apart)


def _is_apart(folder: Path, names: Collection[str]) -> bool:
    """Return whether the folder is an output of its own, or being written."""
    if LIST in names and is_listed_folder(folder):
        return True
    if LOCK in names and not _is_free(folder):
        return True
    try:
        return RUN in names and read_run(folder) is not None
    except TextureError:  # not ours
        return False


def _is_free(folder: Path) -> bool:
    try:
        check_free(folder)
    except BeingWrittenError:
        return False
    return True


def check_none_apart(folder: Path, found: Found) -> None:
    """Check that the folder holds no other output, which would be lost from it. Errors:
    BeingWrittenError, UsageError."""
    for inner in found.apart:
        check_free(inner)
        raise UsageError(
            f"output: {shown(folder)} holds another output, {_made_by(inner)}; move it out, or name another folder"
        )


def _made_by(folder: Path) -> str:
    run = read_run(folder)
    return f'{shown(folder)}, which "{run["command"]}" made' if run else shown(folder)


def what_would_go(folder: Path, found: Found) -> str:
    try:
        check_none_apart(folder, found)
    except TextureError as error:
        return f"would be refused: {error}"
    goes = f"would remove {found.n_ours} file{'' if found.n_ours == 1 else 's'}"
    return (
        f"{goes}, not those that this toolkit did not make: {not_ours(found.strangers)}"
        if found.strangers
        else goes
    )


_NAMED = 5


def not_ours(strangers: Collection[str]) -> str:
    """Return the first of the names, and how many more there are."""
    names = [printable(name) for name in strangers][:_NAMED]
    more = f" and {len(strangers) - _NAMED} more" if len(strangers) > _NAMED else ""
    return f"{', '.join(names)}{more}"

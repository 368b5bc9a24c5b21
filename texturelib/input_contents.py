"""The contents of the folders that a run read, file by file, so that a copied or touched folder is
recognised as the same.

The fingerprint of a folder that the toolkit did not make covers names, sizes and times. Where only
times differ, `inputs.json` in the output says what the contents were.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from texturelib.errors import TextureError
from texturelib.files import read_json, write_json
from texturelib.progress import progress
from texturelib.sound_files import find_files

_NOTES = "inputs.json"
_MOST_BYTES = 2**34


def note_contents(
    output: Path,
    folders: Mapping[str, Path],
    fingerprints: Mapping[str, str],
    is_unchanged: Callable[[str], bool],
) -> None:
    """Write `output/inputs.json`.

    folders: the inputs that the toolkit did not make, by name. fingerprints: by name.
    is_unchanged: whether an input, given by its name, is still as it was when its fingerprint was
    taken. It is asked after the files were read; what has changed since is not noted.

    It reads every file once, at about the speed of the disk; a folder of more than 16 GB is not
    read.
    """
    content = {}
    for name, folder in folders.items():
        files = _files(folder)
        try:
            if sum((folder / file).stat().st_size for file in files) > _MOST_BYTES:
                continue
            facts = {file: _facts(folder / file) for file in progress(files, f"looking at {name}")}
        except FileNotFoundError:  # removed meanwhile
            continue
        if is_unchanged(name):
            content[name] = {"fingerprint": fingerprints[name], "files": facts}
    if content:
        write_json(output / _NOTES, content)


def same_contents(output: Path, name: str, folder: Path, fingerprint: str) -> bool:
    """Return whether `output/inputs.json` says that the folder held the same bytes when it had that
    fingerprint. Only files whose times have changed are read; none where a name or a size
    differs."""
    try:
        noted: Any = read_json(output / _NOTES)[name] if (output / _NOTES).is_file() else None
        if (
            noted is None
            or noted["fingerprint"] != fingerprint
            or noted["files"].keys() != set(_files(folder))
        ):
            return False
        found = {folder / file: facts for file, facts in noted["files"].items()}
        if any(path.stat().st_size != size for path, (size, _, _) in found.items()):
            return False
        return all(
            path.stat().st_mtime_ns == time or _digest(path) == digest
            for path, (_, time, digest) in found.items()
        )
    except (TextureError, OSError, KeyError, TypeError, ValueError, AttributeError):
        return False  # not as we wrote it


def _files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in find_files(folder) if path.is_file()
    )


def _facts(path: Path) -> list[Any]:
    found = path.stat()  # before reading, so that a change meanwhile shows
    return [found.st_size, found.st_mtime_ns, _digest(path)]


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()[:32]

"""Remove what the toolkit made, and nothing else."""

import contextlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath

from texturelib.errors import TextureError
from texturelib.made._claims import place_of
from texturelib.made._list import LIST, Names
from texturelib.made._parts import target_of_part
from texturelib.plain_files import facts
from texturelib.shown import shown

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_ours(path: Path) -> None:
    """Remove this file if the toolkit made it. Errors: TextureError when a link leads there."""
    if (place := place_of(path)) and place.name in Names.of(place.folder):
        _remove(place.folder, [place.name])


def remove_all_ours(folder: Path, keep: Collection[str] = ()) -> None:
    """Remove what the toolkit made in `folder`, and the folders that are then empty; not the folder
    itself if it has the list.

    keep: names, as in the list. Errors: TextureError when a link leads there.
    """
    place = place_of(folder / LIST)
    if place is None:
        return
    below = place.name.removesuffix(LIST)
    names = [
        name for name in Names.of(place.folder).all() if name.startswith(below) and name not in keep
    ]
    _remove(place.folder, names)


def remove_folder_of_ours(folder: Path) -> None:
    """Remove a folder with everything in it, if the toolkit made all of it.

    Errors: TextureError when something else is in it; that is left.
    """
    if facts(folder) is None:
        return
    if not folder.is_symlink():
        remove_parts(folder)
        remove_all_ours(folder)
        with contextlib.suppress(OSError):
            # Only folders, as a run leaves that is killed before its first file.
            for at, _, _ in os.walk(folder, topdown=False):
                Path(at).rmdir()
    if facts(folder) is not None:
        raise TextureError(
            f"{shown(folder)}: is in the way, and this toolkit did not make all that it holds; move it away"
        )


def remove_parts(folder: Path) -> None:
    """Remove the half-written files that a killed run left of files that the list names,
    anywhere under `folder`."""
    place = place_of(folder / LIST)
    if place is None:
        return
    below = PurePosixPath(place.name).parent
    names = Names.of(place.folder).all()
    for parent in {PurePosixPath(name).parent for name in names}:
        if parent.is_relative_to(below):
            with _folder_within(place.folder, parent) as descriptor:
                if descriptor is None:
                    continue
                with os.scandir(descriptor) as entries:
                    parts = [
                        entry.name
                        for entry in entries
                        if (target := target_of_part(entry.name))
                        and (parent / target).as_posix() in names
                    ]
                for part in parts:
                    _unlink_file(part, descriptor)


def _remove(folder: Path, names: Iterable[str]) -> None:
    """Remove plain files, and then their folders where these are empty. names: within the
    folder."""
    by_parent: dict[PurePosixPath, list[str]] = {}
    for name in names:
        path = PurePosixPath(name)
        by_parent.setdefault(path.parent, []).append(path.name)
    # Last, because the list itself is in it.
    by_parent[PurePosixPath()] = by_parent.pop(PurePosixPath(), [])
    for parent, files in by_parent.items():
        with _folder_within(folder, parent) as descriptor:
            for file in sorted(files, key=LIST.__eq__) if descriptor is not None else ():
                _unlink_file(file, descriptor)
    parents = {each for parent in by_parent for each in (parent, *parent.parents) if each.parts}
    for parent in sorted(parents, key=lambda each: len(each.parts), reverse=True):
        # Files of others are in it.
        with _folder_within(folder, parent.parent) as descriptor, contextlib.suppress(OSError):
            if descriptor is not None:
                os.rmdir(parent.name, dir_fd=descriptor)


def _unlink_file(name: str, descriptor: int | None) -> None:
    """Remove a plain file of an opened folder."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISREG(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=descriptor)


@contextlib.contextmanager
def _folder_within(folder: Path, parent: PurePosixPath) -> Iterator[int | None]:
    """Yield the folder `parent` within `folder`, opened; None where it does not exist, or where
    a link leads there."""
    descriptor: int | None = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parent.parts:
            try:
                next_one = os.open(part, _FOLDER, dir_fd=descriptor)
            except OSError:
                os.close(descriptor)
                descriptor = None
                break
            os.close(descriptor)
            descriptor = next_one
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)

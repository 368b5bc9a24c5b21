"""Claim files for the toolkit before they are written."""

import contextlib
import os
import stat
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any, NamedTuple

from texturelib.durable import sync_file
from texturelib.errors import TextureError
from texturelib.made._list import LIST, Names, has_list
from texturelib.plain_files import facts, is_link
from texturelib.shown import shown

_is_the_users: ContextVar[bool] = ContextVar("is_the_users", default=False)


class InTheWayError(TextureError):
    """A file lies where the toolkit would write, and the list does not name it."""


class Place(NamedTuple):
    """A file's place. folder: the folder whose list the file belongs in. name: relative to it,
    with forward slashes."""

    folder: Path
    name: str


@contextlib.contextmanager
def named_by_the_user() -> Iterator[None]:
    """Treat files written in this block as the user's, wherever they lie: the user named each of
    them."""
    token = _is_the_users.set(True)
    try:
        yield
    finally:
        _is_the_users.reset(token)


def place_of(path: Path) -> Place | None:
    """Return the place of a file that is there or will be; None when no folder around it has a
    list.

    Errors: TextureError when a link within such a folder leads there.
    """
    # Text rather than Path, and few system calls: this is done for every clip.
    text = folder = os.path.normpath(os.path.join(os.getcwd(), path))  # noqa: PTH109, PTH118
    folders = []
    while folder := folder.rpartition("/")[0]:
        folders.append(folder)
    listed = [folder for folder in folders if has_list(f"{folder}/{LIST}")]
    if not listed:
        return None
    for folder in folders[: folders.index(listed[-1])]:
        if is_link(folder):
            raise TextureError(
                f"{shown(Path(folder))}: is a link that leads out of {shown(Path(listed[-1]))}, which this toolkit writes; "
                "nothing is written or removed through it: remove the link, or name another folder"
            )
    return Place(Path(listed[0]), text[len(listed[0]) + 1 :])


def claim(path: Path, is_durable: bool = False) -> None:
    """Note in the list of the folder around it, if there is one, that the toolkit makes this file.
    The file may already be there if the toolkit made it before.

    is_durable: afterwards the note is on the disk. A file that is synced before its folder needs
    this: after a power cut nobody would know that it is ours.

    Errors: TextureError when a link leads there; InTheWayError when a file is there that the list
    does not name.
    """
    if _is_the_users.get() or (place := place_of(path)) is None:
        return
    if place.name == LIST:
        raise TextureError(
            f"{shown(path)}: only the list of what this toolkit made may be called so; rename the file"
        )
    names = Names.of(place.folder)
    found = facts(path)
    if found is None:
        names.add(place.name)
    elif not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        raise TextureError(
            f"{shown(path)}: is a link or no plain file, so nothing is written there; remove it, or move it away"
        )
    elif found.st_size == 0 and stat.S_ISREG(found.st_mode):
        names.add(place.name)  # as a power cut leaves a file, and perhaps its line in the list
    elif place.name not in names:
        raise InTheWayError(
            f"{shown(path)}: is in the way, and this toolkit did not make it; move it away"
        )
    if is_durable:
        sync_file(place.folder / LIST)


def add_to_list(path: Path) -> None:
    """Note a file that a library has just made, where only the library could know its name."""
    if place := place_of(path):
        Names.of(place.folder).add(place.name)


def open_ours(path: Path, mode: str, **options: Any) -> IO[Any]:
    """Open a file that grows or changes in place, as `path.open(mode)` does: claimed, and never
    through a link.

    Errors: as in `claim`.
    """
    claim(path)

    def opener(name: str, flags: int) -> int:
        try:
            return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        except OSError as error:
            if path.is_symlink():
                raise TextureError(
                    f"{shown(path)}: is a link, so nothing is written there; remove it"
                ) from None
            raise error

    return open(path, mode, opener=opener, **options)  # Path.open takes no opener

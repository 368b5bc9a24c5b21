"""The list of the files that the toolkit made in a folder."""

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import IO, ClassVar

from texturelib.durable import sync_file
from texturelib.errors import TextureError
from texturelib.made._parts import new_part
from texturelib.plain_files import beginning, facts, open_plain, write_whole
from texturelib.shown import shown

LIST = "made.jsonl"
"""The list's name, in the folder that it describes: JSON lines, each a name relative to the
folder."""

_HEADER = b'"The files that texture-toolkit made here, one on each line. Only these are removed."\n'
# The second line, which tells a list from one that was begun before it: 32 random digits until it
# is finished.
_N_DIGITS = 32
_FINISHED = _N_DIGITS * "0"


def begin_list(folder: Path, names: Iterable[str] = ()) -> None:
    """Begin the folder's list with these names, if it has none.

    Errors: TextureError when something else has the list's name.
    """
    if not is_listed_folder(folder):
        _check_no_other(folder)
        _write_list(folder, names)


def begin_list_anew(folder: Path, names: Iterable[str]) -> None:
    """Begin the folder's list anew, with only these names. Errors: as in `begin_list`."""
    _check_no_other(folder)
    _write_list(folder, names)


def finish_list(folder: Path) -> None:
    """Rewrite the folder's list so that it names the files that are there, in order: the same
    for every run that makes the same."""
    names = sorted(name for name in names_in(folder) if facts(folder / name) is not None)
    _write_list(folder, names, began=_FINISHED)


def is_listed_folder(folder: Path) -> bool:
    """Return whether the folder has a list of ours."""
    return has_list(str(folder / LIST))


def names_in(folder: Path) -> set[str]:
    """Return the names in the folder's list; none where it has no list."""
    return set(Names.of(folder).all()) if is_listed_folder(folder) else set()


class Names:
    """The names in a folder's list, as far as this process has read it. The list only grows,
    until it is begun anew."""

    _known: ClassVar[dict[Path, "Names"]] = {}

    def __init__(self, folder: Path) -> None:
        self._path = folder / LIST
        self._names: set[str] = set()
        self._read_to = 0
        self._began: tuple[int, bytes] | None = None

    @classmethod
    def of(cls, folder: Path) -> "Names":
        folder = _absolute(folder)
        return cls._known.setdefault(folder, cls(folder))

    def all(self) -> set[str]:
        with contextlib.suppress(FileNotFoundError), open_plain(self._path, os.O_RDONLY) as file:
            self._forget_if_another(file)
            file.seek(self._read_to)
            begins = self._read_to == 0
            content = file.read()
            whole = content[: content.rfind(b"\n") + 1]  # a kill may have cut the last line
            self._read_to += len(whole)
            lines = whole.split(b"\n")[2 if begins else 0 :]
            self._names.update(name for line in lines if (name := _name_in(line)))
        return self._names

    def __contains__(self, name: str) -> bool:
        # What this process has read or written stays true as long as the list is the same file.
        return name in self.all()

    def add(self, name: str) -> None:
        with open_plain(self._path, os.O_RDWR | os.O_APPEND) as file:
            self._forget_if_another(file)
            if name in self._names:
                return
            # A file system without locks, where lines of two machines may collide.
            with contextlib.suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
            # After half a line, which a kill or a full disk left, begin a new line.
            end = file.seek(0, os.SEEK_END)
            file.seek(end - 1)
            between = b"" if file.read(1) == b"\n" else b"\n"
            write_whole(file.fileno(), between + _line(name))
        self._names.add(name)

    def _forget_if_another(self, file: IO[bytes]) -> None:
        began = os.fstat(file.fileno()).st_ino, os.pread(file.fileno(), _N_DIGITS + 2, len(_HEADER))
        if began != self._began:
            self._names, self._read_to, self._began = set(), 0, began


def _name_in(line: bytes) -> str | None:
    """Return a name that lies within the folder; None where the line is damaged, or names
    something else."""
    try:
        name = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(name, str) or not name or "\0" in name:
        return None
    path = PurePosixPath(name)
    return (
        name
        if path.parts
        and not path.is_absolute()
        and ".." not in path.parts
        and path.as_posix() == name
        else None
    )


def _line(name: str) -> bytes:
    return json.dumps(name).encode() + b"\n"


def _write_list(folder: Path, names: Iterable[str], began: str | None = None) -> None:
    part = new_part(folder / LIST)
    descriptor = os.open(
        part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666
    )
    try:
        lines = [began or secrets.token_hex(_N_DIGITS // 2), *dict.fromkeys([LIST, *names])]
        write_whole(descriptor, _HEADER + b"".join(map(_line, lines)))
        # Else a power cut could leave an empty file of its name, which nobody could take for a
        # list.
        os.fsync(descriptor)
        part.replace(folder / LIST)
        sync_file(folder)
    finally:
        os.close(descriptor)
        part.unlink(missing_ok=True)


def _check_no_other(folder: Path) -> None:
    if facts(folder / LIST) is not None and not is_listed_folder(folder):
        raise TextureError(
            f"{shown(folder / LIST)}: is in the way, and this toolkit did not make it; move it away"
        )


def has_list(path: str) -> bool:
    """Return whether a file with the list's name is a list of ours."""
    return beginning(path, len(_HEADER)) == _HEADER


def _absolute(path: Path) -> Path:
    """Return the absolute path, without Path.resolve(), so that links in it are kept."""
    return Path(os.path.normpath(Path.cwd() / path))

"""Which files of a folder this toolkit made: a list in the folder names each of them before it
appears, and nothing else is removed.

A file is ours when the list names it, it is a plain file, and no link leads to it from within the
folder. The folder itself may be reached through a link: results may lie on another disk.
"""

import contextlib
import fcntl
import json
import os
import re
import secrets
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path, PurePosixPath
from typing import IO, Any, ClassVar, NamedTuple

from texturelib.durable import sync_file
from texturelib.errors import TextureError
from texturelib.shown import shown

LIST = "made.jsonl"
"""The list's name, in the folder that it describes: JSON lines, each a name relative to the
folder."""

_HEADER = b'"The files that texture-toolkit made here, one on each line. Only these are removed."\n'
# The second line, which tells a list from one that was begun before it: 32 random digits until it
# is finished.
_N_DIGITS = 32
_FINISHED = _N_DIGITS * "0"
_PART = re.compile(r"\.part-\d+(?:\.\d+)?-(?P<target>.+)", re.DOTALL)
# Do not follow links, and do not wait for the other end of a pipe.
_PLAIN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

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
    names = sorted(name for name in names_in(folder) if _facts(folder / name) is not None)
    _write_list(folder, names, began=_FINISHED)


def is_listed_folder(folder: Path) -> bool:
    """Return whether the folder has a list of ours."""
    return _has_list(str(folder / LIST))


def names_in(folder: Path) -> set[str]:
    """Return the names in the folder's list; none where it has no list."""
    return set(_Names.of(folder).all()) if is_listed_folder(folder) else set()


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
    listed = [folder for folder in folders if _has_list(f"{folder}/{LIST}")]
    if not listed:
        return None
    for folder in folders[: folders.index(listed[-1])]:
        if _is_link(folder):
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
    names = _Names.of(place.folder)
    found = _facts(path)
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
        _Names.of(place.folder).add(place.name)


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


def remove_ours(path: Path) -> None:
    """Remove this file if the toolkit made it. Errors: TextureError when a link leads there."""
    if (place := place_of(path)) and place.name in _Names.of(place.folder):
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
        name
        for name in _Names.of(place.folder).all()
        if name.startswith(below) and name not in keep
    ]
    _remove(place.folder, names)


def remove_folder_of_ours(folder: Path) -> None:
    """Remove a folder with everything in it, if the toolkit made all of it.

    Errors: TextureError when something else is in it; that is left.
    """
    if _facts(folder) is None:
        return
    if not folder.is_symlink():
        remove_parts(folder)
        remove_all_ours(folder)
        with contextlib.suppress(OSError):
            # Only folders, as a run leaves that is killed before its first file.
            for at, _, _ in os.walk(folder, topdown=False):
                Path(at).rmdir()
    if _facts(folder) is not None:
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
    names = _Names.of(place.folder).all()
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


def target_of_part(name: str) -> str | None:
    """Return the file that a half-written file of this name would become; None where it is no
    such name."""
    found = _PART.fullmatch(name)
    return found["target"] if found else None


def new_part(path: Path) -> Path:
    """Return an unused name beside `path`, for the time while the file is written."""
    number = 0
    while True:
        part = path.with_name(f".part-{os.getpid()}{f'.{number}' if number else ''}-{path.name}")
        if _facts(part) is None:
            return part
        number += 1


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


class _Names:
    """The names in a folder's list, as far as this process has read it. The list only grows,
    until it is begun anew."""

    _known: ClassVar[dict[Path, "_Names"]] = {}

    def __init__(self, folder: Path) -> None:
        self._path = folder / LIST
        self._names: set[str] = set()
        self._read_to = 0
        self._began: tuple[int, bytes] | None = None

    @classmethod
    def of(cls, folder: Path) -> "_Names":
        folder = _absolute(folder)
        return cls._known.setdefault(folder, cls(folder))

    def all(self) -> set[str]:
        with contextlib.suppress(FileNotFoundError), _opened(self._path, os.O_RDONLY) as file:
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
        with _opened(self._path, os.O_RDWR | os.O_APPEND) as file:
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
            _write_whole(file.fileno(), between + _line(name))
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
        _write_whole(descriptor, _HEADER + b"".join(map(_line, lines)))
        # Else a power cut could leave an empty file of its name, which nobody could take for a
        # list.
        os.fsync(descriptor)
        part.replace(folder / LIST)
        sync_file(folder)
    finally:
        os.close(descriptor)
        part.unlink(missing_ok=True)


def _write_whole(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _check_no_other(folder: Path) -> None:
    if _facts(folder / LIST) is not None and not is_listed_folder(folder):
        raise TextureError(
            f"{shown(folder / LIST)}: is in the way, and this toolkit did not make it; move it away"
        )


def _opened(path: Path, flags: int) -> IO[bytes]:
    """Open a file. Errors: OSError, also when it is a link or not a plain file."""
    descriptor = os.open(path, flags | _PLAIN)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path}: not a plain file")
    return os.fdopen(
        descriptor, "rb" if flags & os.O_ACCMODE == os.O_RDONLY else "r+b", buffering=0
    )


def _has_list(path: str) -> bool:
    """Return whether a file with the list's name is a list of ours."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _PLAIN)
    except OSError:
        return False
    try:
        return (
            stat.S_ISREG(os.fstat(descriptor).st_mode)
            and os.read(descriptor, len(_HEADER)) == _HEADER
        )
    finally:
        os.close(descriptor)


def _is_link(path: str) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(path).st_mode)
    except OSError:
        return False


def _absolute(path: Path) -> Path:
    """Return the absolute path, without Path.resolve(), so that links in it are kept."""
    return Path(os.path.normpath(Path.cwd() / path))


def _facts(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


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

"""The files that a Pure Data patch plays with, as far as its text names them."""

import glob
import os
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from texturelib.files import check_file

_LARGEST_PATCH = 2**26  # bytes

_USERS_OWN = ("~/.local/lib/pd/extra", "~/pd-externals", "/usr/local/lib/pd-externals")
"""The user's folders of externals. Pure Data also looks in its own folder, whose content its
version tells."""

_ENDINGS = (
    "",
    ".pd",
    ".pat",
    ".pd_linux",
    ".l_amd64",
    ".l_arm64",
    ".l_i386",
    ".so",
    ".pd_darwin",
    ".d_amd64",
    ".d_arm64",
)
"""Endings that Pure Data adds to a name: none for a file that is named whole; those of
abstractions; those of compiled objects."""

_RECORD = re.compile(r"((?:[^;\\]|\\.)*);", re.DOTALL)
_WORD = re.compile(r"(?:[^\s\\]|\\.)+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?")
_PUT_IN = re.compile(r"(?:\$\d+|%[-+ #0]*\d*(?:\.\d+)?[a-zA-Z])+")
"""Stands for a part of a name that is known only when it plays: an argument, or a number of
[makefilename]."""


@dataclass(frozen=True)
class _Text:
    """The words of a patch. words: all but comments and numbers. declared: the folders that its
    [declare] names."""

    words: frozenset[str]
    declared: frozenset[str]


def files_of_patch(patch: Path) -> list[Path]:
    """Return the patch, and the files that it may use: abstractions, sounds, texts; and what
    abstractions use in turn.

    These are all whose name stands in the text, where Pure Data looks for them: beside the patch or
    abstraction that names them, in the folders that a [declare] adds, and in the user's folders of
    externals. In a name such as "drop$1.wav" or "drop%d.wav", anything may stand for the part that
    is put in. So a file may be among them that is not used; one is not among them whose name the
    text does not have, since the patch makes it or hears it while it plays. Errors: TextureError
    and OSError, as of `check_file`, when the patch cannot be read.
    """
    texts = {patch: _read(patch)}
    used = {patch}
    while True:
        folders = _folders(texts)
        for folder, text in ((path.parent, text) for path, text in list(texts.items())):
            for word in text.words:
                used |= _called(word, [folder, *folders])
        new = {path for path in used if path.suffix in (".pd", ".pat")} - texts.keys()
        if not new:
            return sorted(used)
        texts |= {path: _read(path) for path in new}


def _folders(texts: dict[Path, _Text]) -> list[Path]:
    """Return where Pure Data looks besides the folder of who asks: an abstraction also finds what
    its owners have declared."""
    users_own = [Path(_expanded(place)) for place in _USERS_OWN]
    declared = {
        base / _expanded(name)
        for path, text in texts.items()
        for name in text.declared
        for base in (path.parent, *users_own)
    }
    return [folder for folder in (*users_own, *sorted(declared)) if folder.is_dir()]


def _called(word: str, folders: list[Path]) -> set[Path]:
    """Return the files that a word may mean."""
    name = _expanded(word)
    literal = _PUT_IN.split(name)
    if len(literal) == 1:
        found = [folder / (name + ending) for folder in folders for ending in _ENDINGS]
    elif re.search(r"\w", "".join(literal)):
        pattern = "*".join(map(glob.escape, literal))
        places = [Path("/")] if pattern.startswith("/") else folders
        found = [path for place in places for path in place.glob(pattern.lstrip("/"))]
    else:
        found = []
    return {Path(os.path.normpath(path)) for path in found if _is_file(path)}


def _expanded(name: str) -> str:
    return os.environ.get("HOME", "~") + name[1:] if name.startswith("~/") else name


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    # No such name can be, or we may not look; Pure Data may not either.
    except (OSError, ValueError):
        return False


def _read(patch: Path) -> _Text:
    check_file(patch, _LARGEST_PATCH)
    words, declared = set(), set()
    for record in _RECORD.findall(patch.read_text(encoding="utf-8", errors="surrogateescape")):
        said = [_ESCAPED.sub(r"\1", word) for word in _WORD.findall(record)]
        if said[:2] == ["#X", "text"]:
            continue
        words.update(word for word in said if not _NUMBER.fullmatch(word))
        if "declare" in said:
            declared.update(
                after for word, after in pairwise(said) if word in ("-path", "-stdpath")
            )
    return _Text(frozenset(words), frozenset(declared))

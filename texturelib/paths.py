"""Paths as people write them, also on other machines: `~` and `$NAME` are expanded, and a path
that cannot be meant is an error."""

import os
import re
from pathlib import Path

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|([A-Za-z_]\w*))")
_WINDOWS_VARIABLE = re.compile(r"%[A-Za-z_]\w*%")
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")  # of two letters at least: C:/ is a drive
_DRIVE = re.compile(r"[A-Za-z]:($|[\\/])")


def local_path(text: str, base: Path) -> Path:
    """Return, for this machine, the path that a person wrote; a relative one stays relative.

    base: the folder that it is relative to. A path that exists exactly as written is taken as it
    is, so that folders may have any name.

    Errors: ValueError, with a sentence that begins with the path, for a web address, a Windows
    path, a variable that is not set, a home folder that does not exist, and a name that no file can
    have.
    """
    if "\0" in text or not _is_whole(text):
        raise ValueError(f"{text!a}: cannot be a path")
    try:
        text = os.fspath(Path(text).expanduser()) if text.startswith("~") else text
    except RuntimeError:
        raise ValueError(f'"{text}": there is no such home folder') from None
    there, rest = _parts_that_are_there(text, base)
    return Path(there, _for_this_machine(rest, text)) if rest else Path(text)


def _parts_that_are_there(text: str, base: Path) -> tuple[str, str]:
    """Return the longest beginning of the path that exists, and the rest."""
    parts = text.split("/")
    for n_parts in range(len(parts), 0, -1):
        beginning = "/".join(parts[:n_parts]) or "/"
        if os.path.lexists(base / beginning):
            return beginning, "/".join(parts[n_parts:])
    return "", text


def _for_this_machine(rest: str, whole: str) -> str:
    """Return the rest of a path with variables expanded. rest: the part of the path that does
    not exist."""
    if address := _ADDRESS.match(rest):
        raise ValueError(
            f'"{whole}": is an address ({address[1]}:), not a path; write the path alone, as /home/me/results'
        )
    if _DRIVE.match(rest) or "\\" in rest:
        raise ValueError(
            f'"{whole}": is a path of Windows; here, "/" parts folders and there are no drives, as in /home/me/results'
        )
    if variable := _WINDOWS_VARIABLE.search(rest):
        raise ValueError(
            f'"{whole}": {variable[0]} is a variable of Windows; here it would be ${variable[0].strip("%")}'
        )

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if not os.environ.get(name):
            raise ValueError(
                f'"{whole}": there is no environment variable {name}; set it, or write the path out'
            )
        return os.environ[name]

    return _VARIABLE.sub(value, rest)


def _is_whole(text: str) -> bool:
    try:
        os.fsencode(text)
    except ValueError:  # half of a surrogate pair
        return False
    return True

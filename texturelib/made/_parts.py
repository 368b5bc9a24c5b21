"""Names of half-written files, which get their own name when they are whole."""

import os
import re
from pathlib import Path

from texturelib.plain_files import facts

_PART = re.compile(r"\.part-\d+(?:\.\d+)?-(?P<target>.+)", re.DOTALL)


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
        if facts(part) is None:
            return part
        number += 1

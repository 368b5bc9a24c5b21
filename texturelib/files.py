"""Files that appear whole or not at all: written beside their place, then renamed into it."""

import contextlib
import csv
import errno
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from texturelib.errors import TextureError

if TYPE_CHECKING:
    import pandas as pd

PART = ".part-"
"""How the names of half-written files begin."""


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes `path`'s place when the block ends, and goes when the block fails.

    The name keeps its suffix, since soundfile and matplotlib choose the format by it.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{PART}{os.getpid()}-{path.name}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)  # still there when the block failed, or when both names were one file


def remove_parts(folder: Path) -> None:
    """Remove what a killed run left half-written anywhere under `folder`."""
    for part in folder.rglob(f"{PART}*"):
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Errors: TextureError, naming the file, when it is missing or not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TextureError(f"{shown(path)}: no such file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise TextureError(f"{shown(path)}: not JSON ({error})") from None


def write_table(path: Path, table: "pd.DataFrame") -> None:
    # Names may hold a carriage return, which ends a row unless it stands in quotes; Python's csv sets none around it.
    has_returns = any("\r" in value for column in table for value in table[column] if isinstance(value, str))
    quoting = csv.QUOTE_NONNUMERIC if has_returns else csv.QUOTE_MINIMAL
    with whole_file(path) as part:
        # Linux allows names that are not UTF-8; their bytes pass through as they are.
        table.to_csv(part, index=False, quoting=quoting, errors="surrogateescape")


def read_table(path: Path, text_columns: Sequence[str] = ("file_name", "source")) -> "pd.DataFrame":
    """text_columns: those that stay as they are written: a clip called "007" or "NA" is not a number and not missing.

    Errors: TextureError, naming the file, when it is missing, empty or not a table.
    """
    import pandas as pd

    try:
        return pd.read_csv(
            path,
            dtype=dict.fromkeys(text_columns, str),
            keep_default_na=False,
            na_values=[""],
            encoding_errors="surrogateescape",
        )
    except FileNotFoundError:
        raise TextureError(f"{shown(path)}: no such file") from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise TextureError(f"{shown(path)}: not a CSV table ({error})") from None


def shown(path: Path) -> str:
    """The path as a person would type it: relative to the current folder where it lies beneath or beside it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("../..") else relative


def link_or_copy(source: Path, target: Path) -> None:
    """Give `source` a second name, or where the file system cannot, copy it. Files here are replaced, never changed in place."""
    # A second name for a symbolic link would be one more symbolic link, which points nowhere from its new place.
    source = source.resolve()
    with whole_file(target) as part:
        try:
            os.link(source, part)
        except OSError:
            shutil.copyfile(source, part)

"""Files that appear whole or not at all: written to a temporary name beside the target, then
renamed."""

import codecs
import contextlib
import csv
import errno
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from texturelib.cells import as_cell, from_cell
from texturelib.durable import sync_file
from texturelib.errors import TextureError, first_line
from texturelib.json_text import NotJsonError, parse
from texturelib.made import InTheWayError, add_to_list, claim, new_part, place_of, remove_parts
from texturelib.shown import real_path, shown
from texturelib.written import record_file

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "check_file",
    "import_pandas",
    "link_or_copy",
    "printable",
    "read_json",
    "read_table",
    "read_text",
    "real_path",
    "remove_parts",
    "shown",
    "whole_file",
    "write_json",
    "write_table",
    "write_text",
]

_LARGEST_TEXT = 2**28  # bytes; FSD50K's largest JSON has 10 MB
_LONGEST_HEADER = 2**16  # bytes
_LARGEST_TABLE = 2**32  # bytes; a row for each of a million clips takes 200 MB


@contextlib.contextmanager
def whole_file(path: Path, is_durable: bool = False) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it replaces `path` when the block ends, and is
    removed when the block fails.

    The name keeps its suffix, since soundfile and matplotlib choose the format by it. In an output
    folder, the list of files names the file first: see `texturelib.made`. is_durable: after the
    block the file is on the disk, and a power cut leaves either the old file or the whole new one.
    Without it, the file may be empty after a power cut until its folder is synced, as
    `Output.finish` does for a whole folder at once.

    Errors: TextureError when `path` leads through a link, or when a file is there that the toolkit
    did not make.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    in_the_way = _claimed(path, is_durable)
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
    part = new_part(path)
    try:
        yield part
        place_of(path)  # again, since writing may take long
        if in_the_way:
            if not _holds_what_a_power_cut_left(path, part):
                raise in_the_way
            add_to_list(path)
        record_file(path, part)
        if is_durable:
            sync_file(part)
        part.replace(path)
        if is_durable:
            sync_file(path.parent)
    finally:
        # Still there when the block failed, or when both names were one file.
        part.unlink(missing_ok=True)


def _claimed(path: Path, is_durable: bool) -> InTheWayError | None:
    """Claim a file. Return what is wrong where one is there that the list does not name: it may
    turn out to be ours all the same. Errors: as `claim`."""
    try:
        claim(path, is_durable)
    except InTheWayError as error:
        return error
    return None


_BLOCK = 4096  # bytes, of which file systems write whole ones


def _holds_what_a_power_cut_left(path: Path, whole: Path) -> bool:
    """Return whether a file holds the same as `whole`, or whole blocks of its beginning.

    A power cut may lose the line of the list that names such a file; to replace it loses nothing.
    """
    size = path.stat().st_size
    if size != whole.stat().st_size and (size > whole.stat().st_size or size % _BLOCK):
        return False
    with path.open("rb") as one, whole.open("rb") as other:
        while block := one.read(2**20):
            if block != other.read(len(block)):
                return False
    return True


def write_text(path: Path, text: str, is_durable: bool = False) -> None:
    """Write a text file, whole or not at all. is_durable: as in `whole_file`, here and below."""
    with whole_file(path, is_durable) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any, is_durable: bool = False) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:  # a name that is not UTF-8; JSON can escape it
            text = json.dumps(content, indent=2) + "\n"
    write_text(path, text, is_durable)


def check_file(path: Path, most_bytes: int | None = None) -> None:
    """Check that a file can be read safely.

    Errors: TextureError when it is a pipe or a device, which may never end, or has more than
    `most_bytes`; OSError when it is missing or a folder.
    """
    try:
        found = path.stat()
    except ValueError:  # a zero byte, or half of a surrogate pair
        raise TextureError(f"{str(path)!a}: cannot be a file's name") from None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise TextureError(f"{shown(path)}: is a pipe or a device; it should be a file")
    if most_bytes is not None and found.st_size > most_bytes:
        raise TextureError(
            f"{shown(path)}: has {found.st_size / 1e9:.1f} GB; no such file has more than {most_bytes / 1e9:.1f}"
        )


def read_text(path: Path) -> str:
    """Return the text of a file, without the byte-order mark that some editors put before it.

    Errors: TextureError as in `check_file`, or when it is UTF-16; UnicodeDecodeError, OSError.
    """
    check_file(path, _LARGEST_TEXT)
    content = path.read_bytes()
    check_encoding(path, content)
    return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def check_encoding(place: Path | str, start: bytes) -> None:
    """Check that a text is not in an encoding of another kind. place: the file, or what to call it.
    start: its first bytes.

    Errors: TextureError when it is UTF-16 or UTF-32, which Windows calls "Unicode".
    """
    marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
    # One of every two bytes is 0.
    without_mark = [part for part in (start[:4:2], start[1:4:2]) if part == b"\0\0"]
    if len(start) < 4:
        return
    if start.startswith(marks) or len(without_mark) == 1:
        raise TextureError(
            f'{_named(place)}: is text in UTF-16 or UTF-32 ("Unicode"); save it as UTF-8'
        )


def read_json(path: Path) -> Any:
    """Read a JSON file. Errors: TextureError, naming the file, when it is missing or not JSON."""
    try:
        return parse(read_text(path), allow_nan=True)
    except FileNotFoundError:
        raise TextureError(f"{shown(path)}: no such file") from None
    except NotJsonError as error:
        raise TextureError(f"{shown(path)}: not JSON ({error}") from None
    # Also a number with too many digits, and what is nested too deep.
    except (ValueError, RecursionError) as error:
        raise TextureError(f"{shown(path)}: not JSON ({first_line(error)})") from None


def import_pandas() -> ModuleType:
    """Import pandas, set so that its tables can hold any file's name: pyarrow's strings, its
    default where pyarrow is installed, cannot hold names that are not UTF-8."""
    import pandas

    pandas.set_option("mode.string_storage", "python")
    return pandas


def write_table(path: Path, table: "pd.DataFrame", is_durable: bool = False) -> None:
    """Write a CSV. A text that a spreadsheet would take for a formula is marked as text, which
    `read_table` undoes."""
    table = _texts(table, as_cell)
    # Names may hold a carriage return, which ends a row unless it stands in quotes; Python's csv
    # sets none around it.
    has_returns = any(
        "\r" in value for column in table for value in table[column] if isinstance(value, str)
    )
    quoting = csv.QUOTE_NONNUMERIC if has_returns else csv.QUOTE_MINIMAL
    with whole_file(path, is_durable) as part:
        # Linux allows names that are not UTF-8; their bytes pass through as they are.
        table.to_csv(part, index=False, quoting=quoting, errors="surrogateescape")


def read_table(path: Path, text_columns: Sequence[str] = ("file_name", "source")) -> "pd.DataFrame":
    """Read a CSV. text_columns: columns that stay text: a clip called "007" or "NA" is neither a
    number nor missing.

    Errors: TextureError, naming the file, when it is missing, empty or not a table.
    """
    pd = import_pandas()
    try:
        check_file(path, _LARGEST_TABLE)
        # Opened here: by its name, pandas would take it for a web address, or unpack it.
        with path.open("rb") as file:
            start = file.read(_LONGEST_HEADER)
            check_encoding(path, start)
            check_separator(path, start.decode("utf-8-sig", "replace").partition("\n")[0])
            file.seek(0)
            table = pd.read_csv(
                file,
                dtype=dict.fromkeys(text_columns, str),
                keep_default_na=False,
                na_values=[""],
                encoding_errors="surrogateescape",
            )
    except FileNotFoundError:
        raise TextureError(f"{shown(path)}: no such file") from None
    except (ValueError, OverflowError) as error:  # pandas' own are among them
        raise TextureError(f"{shown(path)}: not a CSV table ({first_line(error)})") from None
    # Where rows have extra columns, pandas takes the first for row names and shifts the others.
    if len(table) and not isinstance(table.index, pd.RangeIndex):
        raise TextureError(
            f"{shown(path)}: not a CSV table (its rows have more columns than its first line)"
        )
    return _texts(table, from_cell)


def _texts(table: "pd.DataFrame", change: Callable[[Any, str], Any]) -> "pd.DataFrame":
    """Return the table with each text replaced by what a function makes of it and its column's
    name."""
    import pandas as pd

    names = [
        name
        for name in table
        if table[name].dtype == object or isinstance(table[name].dtype, pd.StringDtype)
    ]
    changed = {}
    for name in names:
        values = [change(value, str(name)) for value in table[name]]
        if any(new is not old for new, old in zip(values, table[name], strict=True)):
            changed[name] = pd.Series(values, index=table.index, dtype=table[name].dtype)
    return table.assign(**changed) if changed else table


def _named(place: Path | str) -> str:
    return shown(place) if isinstance(place, Path) else place


def check_separator(place: Path | str, header: str) -> None:
    """Check that a table's columns are separated by commas. place: the table, or what to call it.
    header: its first line.

    Errors: TextureError when they are separated by semicolons or tabs, as spreadsheets do in some
    countries.
    """
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if separator in header and "," not in header and '"' not in header:
            raise TextureError(
                f"{_named(place)}: its columns are parted by {name}; save it with commas (and points in numbers)"
            )


def printable(text: str) -> str:
    """Return a text, such as a file name, with all characters that control a terminal escaped as
    in Python."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def link_or_copy(source: Path, target: Path) -> None:
    """Make a hard link to `source`, or a copy where the file system has no links. Files here are
    replaced, never changed in place."""
    # A second name for a symbolic link would be one more symbolic link, which points nowhere from
    # its new place.
    source = real_path(source)
    # Done before, though a power cut may have lost its line in the list of what the toolkit made.
    if target.is_file() and not target.is_symlink() and target.samefile(source):
        add_to_list(target)
        return
    with whole_file(target) as part:
        try:
            os.link(source, part)
        except OSError:
            shutil.copyfile(source, part)

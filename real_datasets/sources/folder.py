"""Any folder of sound files, or one sound file."""

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import Field

from real_datasets.sources._base import Recording, Source, sources
from texturelib.cells import from_cell
from texturelib.config import ConfigPath
from texturelib.errors import TextureError
from texturelib.files import check_encoding, check_file, check_separator, printable, shown
from texturelib.nearest import did_you_mean
from texturelib.sound_files import SUFFIXES, find_audio, is_audio

_COLUMNS = ("split", "origin", "licence", "author", "title", "url", "gen_ai_preference")


@sources.register
class Folder(Source):
    """Every sound file in a folder and the folders below it; hidden files, and what a system keeps
    there, are left alone."""

    type: Literal["folder"] = "folder"
    path: ConfigPath
    """Folder of recordings, or one sound file."""
    tags_from: Annotated[
        Literal["nothing", "folders"] | ConfigPath, Field(union_mode="left_to_right")
    ] = "nothing"
    """Source of the tags. "folders": the names of the sub-folders that a file lies in. Or a table
    (CSV) with a column file_name, relative to `path`, a column tags (separated by ";" or ","), and
    optionally split, origin, licence, author, title, url, gen_ai_preference."""

    @property
    def inputs(self) -> Mapping[str, Path]:
        table = {"source.tags_from": self.tags_from} if isinstance(self.tags_from, Path) else {}
        return {"source.path": self.path} | table

    def recordings(self) -> Sequence[Recording]:
        found = self._found()
        for link in sorted(
            path for path in self.path.rglob("*") if path.is_symlink() and path.is_dir()
        ):
            _note(
                f"source.path: {shown(link)} is a link to a folder, and what lies there is not taken"
            )
        if self.tags_from == "folders":
            return [
                replace(recording, tags=PurePosixPath(recording.name).parts[:-1])
                for recording in found
            ]
        return _described(found, self.tags_from) if isinstance(self.tags_from, Path) else found

    def _found(self) -> list[Recording]:
        if self.path.is_file():
            if not is_audio(self.path):
                raise TextureError(f"source.path: {shown(self.path)}: holds no sound")
            return [Recording(_as_text(Path(self.path.name)), self.path)]
        if not self.path.is_dir():
            raise TextureError(f"source.path: {shown(self.path)}: no such file or folder")
        found = [
            Recording(_as_text(path.relative_to(self.path)), path) for path in find_audio(self.path)
        ]
        if not found:
            raise TextureError(
                f"source.path: {shown(self.path)}: holds no sound files ({', '.join(sorted(SUFFIXES))})"
            )
        return found


def _described(recordings: Sequence[Recording], table_path: Path) -> list[Recording]:
    """Return the recordings with what the table says of them. Errors: TextureError when it says
    nothing of any of them."""
    rows = _read_descriptions(table_path)
    names = {recording.name for recording in recordings}
    unused = [name for name in rows if name not in names]
    if len(unused) == len(rows):
        example = unused[0] if unused else ""
        raise TextureError(
            f'source.tags_from: {shown(table_path)}: names no file of the folder; its first is "{example}" '
            f"{did_you_mean(example, sorted(names)[:100])}"
        )
    if unused:
        count = f"{len(unused)} of {len(rows)} rows name no file of the folder"
        _note(f'source.tags_from: {shown(table_path)}: {count} (the first: "{unused[0]}")')
    return [
        replace(recording, **_fields(rows[recording.name])) if recording.name in rows else recording
        for recording in recordings
    ]


def _read_descriptions(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of the table by file name. Errors: TextureError, naming the line."""
    place = f"source.tags_from: {shown(path)}"
    rows: dict[str, dict[str, str]] = {}
    try:
        check_file(path)
        with path.open("rb") as file:
            check_encoding(place, file.read(4))
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            check_separator(place, ",".join(header))
            for column in ("file_name", "tags"):
                if column not in header:
                    raise TextureError(
                        f"{place}: has no column {column} (it has {', '.join(header)})"
                    )
            for row in reader:
                if len(row) != len(header):
                    raise TextureError(
                        f"{place}: line {reader.line_num}: has {len(row)} columns, not {len(header)}; put tags with commas in "
                        'quotes, or part them with ";"'
                    )
                described = {
                    name: from_cell(value, name) for name, value in zip(header, row, strict=True)
                }
                if described["file_name"] in rows:
                    raise TextureError(
                        f'{place}: "{described["file_name"]}" stands in two rows; keep one'
                    )
                rows[described["file_name"]] = described
    except OSError as error:
        raise TextureError(f"{place}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TextureError(f"{place}: not a text file in UTF-8; save it anew as such") from None
    except csv.Error as error:
        raise TextureError(f"{place}: not a CSV table ({error})") from None
    return rows


def _fields(row: Mapping[str, str]) -> dict[str, "str | tuple[str, ...]"]:
    """Return fields of a Recording. Tags are separated by ";" if the row has one, since AudioSet's
    contain commas, else by ","."""
    separator = ";" if ";" in row["tags"] else ","
    tags = tuple(tag.strip() for tag in row["tags"].split(separator) if tag.strip())
    return {"tags": tags} | {column: row[column] for column in _COLUMNS if column in row}


def _note(what: str) -> None:
    print(printable(f"note: {what}"), file=sys.stderr)


def _as_text(path: Path) -> str:
    """Return the path with forward slashes; bytes of it that are not UTF-8 as `\\xe4`, since tables
    and pages hold text."""
    return path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")

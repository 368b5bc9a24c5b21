"""Any folder of sound files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from real_datasets.sources._base import Recording, Source, sources
from texturelib.audio import SUFFIXES, find_audio
from texturelib.config import ConfigPath
from texturelib.errors import TextureError
from texturelib.files import read_table, shown
from texturelib.nearest import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("split", "origin", "licence", "author", "title", "url")


@sources.register
class Folder(Source):
    """Every sound file in a folder and the folders below it; hidden files are left alone."""

    type: Literal["folder"] = "folder"
    path: ConfigPath
    tags_from: Annotated[Literal["nothing", "folders"] | ConfigPath, Field(union_mode="left_to_right")] = "nothing"
    """"folders": the names of the sub-folders that a file lies in are its tags. Or a table (CSV) with a column file_name,
    relative to `path`, a column tags (separated by ";" or ","), and if you like split, origin, licence, author, title, url."""

    @property
    def inputs(self) -> Mapping[str, Path]:
        table = {"source.tags_from": self.tags_from} if isinstance(self.tags_from, Path) else {}
        return {"source.path": self.path} | table

    def recordings(self) -> Sequence[Recording]:
        if not self.path.is_dir():
            raise TextureError(f"source.path: {shown(self.path)}: no such folder")
        found = [Recording(_as_text(path.relative_to(self.path)), path) for path in find_audio(self.path)]
        if not found:
            raise TextureError(f"source.path: {shown(self.path)}: holds no sound files ({', '.join(sorted(SUFFIXES))})")
        if self.tags_from == "folders":
            return [replace(recording, tags=PurePosixPath(recording.name).parts[:-1]) for recording in found]
        return _described(found, self.tags_from) if isinstance(self.tags_from, Path) else found


def _described(recordings: Sequence[Recording], table_path: Path) -> list[Recording]:
    """-> the recordings with what the table says of them. Errors: TextureError when it says nothing of any of them."""
    rows = _read_descriptions(table_path)
    names = [recording.name for recording in recordings]
    if not rows.index.intersection(names).size:
        example = rows.index[0] if len(rows) else ""
        raise TextureError(
            f'source.tags_from: {shown(table_path)}: names no file of the folder; its first is "{example}" '
            f"{did_you_mean(example, names[:100])}"
        )
    described = rows.to_dict("index")
    return [
        replace(recording, **_fields(described[recording.name])) if recording.name in described else recording
        for recording in recordings
    ]


def _read_descriptions(path: Path) -> "pd.DataFrame":
    try:
        table = read_table(path, ("file_name", "tags", *_COLUMNS))
        path.read_text(encoding="utf-8")
    except TextureError as error:
        raise TextureError(f"source.tags_from: {error}") from None
    except UnicodeDecodeError:
        raise TextureError(f"source.tags_from: {shown(path)}: not a text file in UTF-8; save it anew as such") from None
    for column in ("file_name", "tags"):
        if column not in table:
            raise TextureError(f"source.tags_from: {shown(path)}: has no column {column} (it has {', '.join(table.columns)})")
    table = table.fillna("").astype(str).set_index("file_name")
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()][0]
        raise TextureError(f'source.tags_from: {shown(path)}: "{twice}" stands in two rows; keep one')
    return table


def _fields(row: Mapping[str, str]) -> dict[str, "str | tuple[str, ...]"]:
    """-> what a Recording is told. AudioSet's tags have commas in them, so a ";" in the row makes it the separator."""
    separator = ";" if ";" in row["tags"] else ","
    tags = tuple(tag.strip() for tag in row["tags"].split(separator) if tag.strip())
    return {"tags": tags} | {column: row[column] for column in _COLUMNS if column in row}


def _as_text(path: Path) -> str:
    """-> the path with forward slashes; bytes of it that are not UTF-8 as `\\xe4`, since tables and pages hold text."""
    return path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")

"""soundata, kept to what it does well: reading. Nothing here downloads, extracts or validates."""

import csv
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from real_datasets.sources._base import Recording
from texturelib.errors import TextureError, UsageError
from texturelib.files import check_file, shown


def dataset_names() -> list[str]:
    """Return soundata's names of the datasets that it can read."""
    try:
        import soundata
    except ImportError:
        raise UsageError(
            "this source needs soundata: pip install 'texture-toolkit[real]'"
        ) from None
    return sorted(soundata.list_datasets())


def open_dataset(name: str, folder: Path) -> Any:
    """Return soundata's Dataset, which has read nothing yet."""
    dataset_names()
    import soundata

    # Importing its readers tells the root logger to print what any library notes: its state is put
    # back.
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        return soundata.initialize(name, data_home=str(folder))
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def missing_files(recordings: Sequence[Recording]) -> dict[str, str]:
    """Return the clips whose file is not there, as after a download or an extraction that was
    stopped: a sentence by name."""
    return {
        recording.name: f"{shown(recording.path)} is missing; extract its archive again"
        for recording in recordings
        if not recording.path.is_file()
    }


def check_table(path: Path, header: Sequence[str] | None, n_columns: int) -> list[list[str]]:
    """Return the rows of a CSV file below its header, each looked at: soundata passes over damaged
    ones silently, or trips.

    header: what the first line should be, None where there is none.
    Errors: TextureError that names the line.
    """
    try:
        check_file(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            try:
                if header is not None and (first := next(reader, [])) != list(header):
                    raise TextureError(
                        f'{shown(path)}: begins with "{",".join(first)[:60]}", not with "{",".join(header)}"'
                    )
                rows = []
                for row in reader:
                    if len(row) != n_columns:
                        raise TextureError(
                            f"{shown(path)}: line {reader.line_num}: has {len(row)} columns, not {n_columns}"
                        )
                    rows.append(row)
            except csv.Error as error:
                raise TextureError(
                    f"{shown(path)}: line {reader.line_num}: damaged ({error})"
                ) from None
    except OSError as error:
        raise TextureError(f"{shown(path)}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise TextureError(f"{shown(path)}: not a text file in UTF-8") from None
    if not rows:
        raise TextureError(f"{shown(path)}: has no rows")
    return rows

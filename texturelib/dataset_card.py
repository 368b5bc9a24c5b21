"""README.md in a dataset folder: a description for people, and the splits for Hugging Face's
`datasets`.

Without it, `datasets` guesses splits from names: of "rain mic test.wav" and "passing_train.wav" it
makes a test and a train split, and drops all other clips and all labels.
"""

import glob
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from texturelib.files import write_table, write_text
from texturelib.markdown import controls_table, in_channels, plain

if TYPE_CHECKING:
    import pandas as pd

_WHOLE = "train"  # what `datasets` calls all clips of a set without splits
_NAME_OF_SPLIT = re.compile(r"\w+(\.\w+)*", re.ASCII)  # names that `datasets` accepts


def write_dataset_card(
    folder: Path,
    metadata: "pd.DataFrame",
    *,
    sample_rate: int,
    seconds: float,
    n_channels: int,
    controls: Sequence[Mapping[str, Any]],
    remarks: Sequence[str] = (),
) -> None:
    """Write `folder/README.md`, and where metadata.csv has splits, a table for each beside it.

    remarks: sentences about the set, each a paragraph.
    """
    sounds = ["audio/**", *_unusual_folders(metadata["file_name"].tolist())]
    splits = _splits(metadata)
    tables = (
        {split: _table_name(number) for number, split in enumerate(splits, 1)}
        if len(splits) > 1
        else {}
    )
    for split, name in tables.items():
        write_table(folder / name, metadata.loc[metadata["split"] == split])
    lines = ["---", "configs:", "- config_name: default"]
    if tables:
        lines.append(f"  metadata_filenames: {json.dumps(list(tables.values()))}")
    lines.append("  data_files:")
    for split, name in (tables or {(splits or [_WHOLE])[0]: "metadata.csv"}).items():
        lines += [f"  - split: {split}", f"    path: {json.dumps([name, *sounds])}"]
    parts = f", in the splits {', '.join(f'`{split}`' for split in splits)}" if splits else ""
    lines += [
        "---",
        f"# {len(metadata)} clips of {seconds:g} s at {sample_rate} Hz{in_channels(n_channels)}",
        "",
        f'Hugging Face\'s `datasets.load_dataset("THIS_FOLDER")` loads all of them with their labels{parts}.',
        "",
    ]
    if controls and all({"name", "unit", "low", "high"} <= control.keys() for control in controls):
        lines += [*controls_table(controls), ""]
    for remark in remarks:
        lines += [plain(remark), ""]
    write_text(folder / "README.md", "\n".join(lines))


def _splits(metadata: "pd.DataFrame") -> list[str]:
    """Return the splits; none where a clip is in no split, or `datasets` would not accept a
    split's name."""
    if "split" not in metadata:
        return []
    names = metadata["split"].tolist()
    is_fine = all(
        isinstance(name, str) and _NAME_OF_SPLIT.fullmatch(name) and name != "all" for name in names
    )
    return list(dict.fromkeys(names)) if is_fine else []


def _table_name(number: int) -> str:
    """Return a table's file name without the split's name: from a file called train.csv,
    `datasets` would guess the splits again where it ignores the card."""
    return f"split{number}.csv"


def _unusual_folders(file_names: Sequence[str]) -> list[str]:
    """Return patterns for the folders that `datasets` only reads when they are named."""
    folders = dict.fromkeys(PurePosixPath(name).parent for name in file_names)
    unusual = [
        folder for folder in folders if any(part.startswith(("__", ".")) for part in folder.parts)
    ]
    return [f"{glob.escape(folder.as_posix())}/*" for folder in unusual]

"""The files that older versions made in an output, without a list of them: only those that are
certainly the toolkit's.

These are: the names that the command always gave its files; what a table, a journal, a page or a
.params file of the toolkit in the folder names; and TensorBoard's events. Anything else may be the
user's.
"""

import csv
import html
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

ALWAYS = ("run.json", "config.json", "inputs.json", "journal.jsonl")
"""Files that every command with a config makes."""
_DATASET = ("metadata.csv", "dataset.json", "rejected.csv")
_MODEL = ("model.safetensors", "README.md", "metrics.json", "history.csv", "loss.png", "last.ckpt")
# asked_read.png is now called target_measured.png.
_EVALUATION = ("index.html", "evaluation.csv", "evaluation.json", "evaluation.md", "asked_read.png")

_NAMES: dict[str, tuple[str, ...]] = {
    "synthetic-datasets generate": _DATASET,
    "synthetic-datasets simulate-recordings": (
        "hidden_controls.csv",
        "locations.csv",
        "recordings.json",
    ),
    "real-datasets build": (*_DATASET, "ATTRIBUTION.md", "overview.png"),
    "domain-adaptation train-extractor": (*_MODEL, "splits.csv", "test_clips.png"),
    "domain-adaptation train-classifier": (*_MODEL, "splits_synthetic.csv", "splits_real.csv"),
    "domain-adaptation adapt": (*_MODEL, "splits.csv"),
    "domain-adaptation label": (
        *_DATASET,
        "labels.csv",
        "labels.json",
        "labels_before.csv",
        "summary.json",
        "distributions.png",
        "by_source.png",
        "slow_down.png",
    ),
    "domain-adaptation clips": ("clips.s16", "clips.unfinished"),
    "domain-adaptation evaluate": (
        "report.md",
        "results.csv",
        "simulated_recordings.png",
        "slow_down.png",
    ),
    "conditioned-synthesis analyse": (
        "index.html",
        "statistics.json",
        "histograms.csv",
        "correlations.csv",
        "histograms.png",
    ),
    "conditioned-synthesis balance": (*_DATASET, "balance.json", "histogram.png"),
    "conditioned-synthesis export": ("normalisation.json", "rejected.csv"),
    "conditioned-synthesis train": _MODEL,
    "conditioned-synthesis linearise": (
        "model.safetensors",
        "README.md",
        "curves.csv",
        "curves.png",
    ),
    "conditioned-synthesis generate": ("examples.csv",),
    "conditioned-synthesis evaluate": (*_MODEL, *_EVALUATION),
    "conditioned-synthesis import-mtcrnn": _DATASET,
    "texture-pipeline page": ("index.html",),
}

# By command: names that are found in no other way.
_EXAMPLES = r"examples/step_\d{7}\.(wav|png)"
_OF_MODELS = "|".join(map(re.escape, _MODEL))
_PATTERNS: dict[str, str] = {
    "conditioned-synthesis train": _EXAMPLES,
    "conditioned-synthesis evaluate": rf"{_EXAMPLES}|played/(held-out clips|white noise)/(held|again)_\d+\.wav",
    "domain-adaptation evaluate": rf"work/[^/]+\.json|work/[^/]+(/classifier)?/({_OF_MODELS})",
}
_EVENTS = re.compile(r"(?:.+/)?tensorboard/events\.out\.tfevents\.\d+\..+")
_ADDRESS = re.compile(r'(?:src|href)="([^":#]+)"')


def names_of_older(folder: Path, command: str) -> set[str]:
    """Return names of files, relative to the folder, with forward slashes; some may not exist.
    command: as in run.json."""
    names = {*ALWAYS, *_NAMES.get(command, ())}
    for table in ("metadata.csv", "hidden_controls.csv", "examples.csv"):
        if table in names:
            for name in _file_names(folder / table):
                names |= {f"recordings/{name}"} if table == "hidden_controls.csv" else {name}
    pattern = re.compile(_PATTERNS.get(command, "(?!)"))
    for at, _, files in os.walk(folder):
        place = Path(at).relative_to(folder)
        if "journal.jsonl" in files:
            names |= {(place / name).as_posix() for name in _in_journal(Path(at) / "journal.jsonl")}
        found = {(place / name).as_posix() for name in files}
        names |= {name for name in found if pattern.fullmatch(name) or _EVENTS.fullmatch(name)}
    if command in ("conditioned-synthesis export", "conditioned-synthesis generate"):
        names |= set(_exported(folder))
    if "index.html" in names:
        names |= set(_shown_by(folder))
    return {name for name in names if _is_within(name)}


def _file_names(table: Path) -> Iterator[str]:
    """Yield the cells of the columns that name files."""
    try:
        with table.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            for row in csv.DictReader(file):
                yield from (row[key] for key in ("file_name", "trajectories") if row.get(key))
    except (OSError, csv.Error):
        return


def _in_journal(journal: Path) -> Iterator[str]:
    """Yield the journal's own name, and those of the files that its keys and results name, by
    each command's naming."""
    try:
        lines = journal.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        try:
            key, outcome = json.loads(line)
        except (ValueError, TypeError, RecursionError):
            continue
        if isinstance(key, str) and isinstance(outcome, dict):
            yield journal.name
            for name in (key, *_named(outcome)):
                yield from (f"audio/{name}", f"recordings/{name}", f"{name}.wav")


def _named(content: Any) -> Iterator[str]:
    if isinstance(content, list):
        for each in content:
            yield from _named(each)
    elif isinstance(content, dict):
        for key, value in content.items():
            if key == "file_name" and isinstance(value, str):
                yield value
            yield from _named(value)


def _exported(folder: Path) -> Iterator[str]:
    """Yield exported sounds with their .params files and pictures; a .params file says which
    sound it belongs to."""
    for path in folder.glob("*.params"):
        try:
            is_of = json.loads(path.read_text(encoding="utf-8"))["meta"]["filename"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if is_of == f"{path.stem}.wav":
            yield from (path.name, is_of, f"{path.stem}.png")


def _shown_by(folder: Path) -> Iterator[str]:
    """Yield the files that index.html shows, and those that belong to a page it links to."""
    for address in _addresses(folder / "index.html"):
        yield address
        beside = PurePosixPath(address).parent
        if address.endswith("/index.html") and _is_within(address):
            inner = [*_addresses(folder / address), *_EVALUATION]
            yield from ((beside / name).as_posix() for name in inner)


def _addresses(page: Path) -> list[str]:
    try:
        return [
            html.unescape(address) for address in _ADDRESS.findall(page.read_text(encoding="utf-8"))
        ]
    except (OSError, ValueError):
        return []


def _is_within(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        bool(path.parts)
        and not path.is_absolute()
        and ".." not in path.parts
        and "\0" not in name
        and path.as_posix() == name
    )

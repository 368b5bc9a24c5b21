"""The few figures that say how good what a command made is, in words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from texture_pipeline.page.instruments import measured
from texturelib.errors import TextureError
from texturelib.files import read_json


def figures_of(command: str, folder: Path) -> str:
    """Return what a finished output is worth, in words; nothing where there is no figure, or a file
    is not as the command writes it."""
    try:
        return _FIGURES.get(command, _clips)(folder)
    except (TextureError, OSError, LookupError, TypeError, ValueError):
        return ""


def _clips(folder: Path) -> str:
    path = folder / "dataset.json"
    return f"{read_json(path)['n_clips']} clips" if path.exists() else ""


def _extractor(folder: Path) -> str:
    return (
        f"error {read_json(folder / 'metrics.json')['test_mae']:.3f} on clips that it never heard"
    )


def _adapted(folder: Path) -> str:
    metrics: Any = read_json(folder / "metrics.json")
    return f"{'kept' if metrics['is_kept'] else 'not kept'}: {metrics['why']}"


def _sliders(folder: Path) -> str:
    rows = [row for row in measured(folder) if row["rho"]]
    return ", ".join(f"{row['control']} {row['word']} ({row['rho']})" for row in rows)


_FIGURES: dict[str, Callable[[Path], str]] = {
    "train-extractor": _extractor,
    "adapt": _adapted,
    "evaluate": _sliders,
}

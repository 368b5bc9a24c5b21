"""What the cards of all model folders have in common: README.md, in Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from texturelib.controls import three_figures
from texturelib.dataset import versions
from texturelib.files import write_text


def controls_table(controls: Iterable[Mapping[str, Any]], ranges: Sequence[tuple[float, float]] | None = None) -> list[str]:
    """controls: as dataset.json describes each. ranges: the part of 0..1 that was trained on, of each -> lines."""
    header = ["control", "unit", "0 is", "1 is", *(["trained on"] if ranges else []), "meaning"]
    rows = []
    for index, control in enumerate(controls):
        trained = [f"{ranges[index][0]:.2f} to {ranges[index][1]:.2f}"] if ranges else []
        ends = [three_figures(control["low"]), three_figures(control["high"])]
        rows.append([control["name"], control["unit"], *ends, *trained, control.get("description", "")])
    return [_row(header), "|" + "---|" * len(header), *map(_row, rows)]


def write_card(folder: Path, lines: Sequence[str]) -> None:
    """Write `folder/README.md`, and what it was made with below it."""
    made_with = "Made with " + ", ".join(f"{name} {version}" for name, version in versions("torch").items()) + "."
    write_text(folder / "README.md", "\n".join([*lines, made_with]) + "\n")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

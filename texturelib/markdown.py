"""Texts from others (names of controls, files and people) in Markdown pages."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from texturelib.controls import three_figures


def plain(text: str) -> str:
    """Return the text on one line, escaped so that Markdown and HTML read it as plain text; it
    fits into a cell of a table.

    >>> print(plain("<script> | low_pass"))
    \\<script\\> \\| low\\_pass
    """
    printable = "".join(character if character.isprintable() else " " for character in text)
    escaped = re.sub(r"([\\`*_\[\]<>#|~&])", r"\\\1", " ".join(printable.split()))
    # "- rain" and "01. rain" would be lists within the list.
    return re.sub(r"^(\d*)([-+=.)])", r"\1\\\2", escaped)


def in_channels(n_channels: int) -> str:
    """Return the number of channels in words that follow a sample rate; mono needs none.

    >>> in_channels(1), in_channels(2), in_channels(4)
    ('', ', stereo', ', 4 channels')
    """
    return {1: "", 2: ", stereo"}.get(n_channels, f", {n_channels} channels")


def row(cells: Sequence[str]) -> str:
    """Return a row of a table. cells: already as Markdown."""
    return f"| {' | '.join(cells)} |"


def controls_table(
    controls: Iterable[Mapping[str, Any]], ranges: Sequence[tuple[float, float]] | None = None
) -> list[str]:
    """Return the lines of a table of controls. controls: their descriptions in dataset.json.
    ranges: the part of 0..1 that was trained on, for each."""
    header = ["control", "unit", "0 is", "1 is", *(["trained on"] if ranges else []), "meaning"]
    rows = []
    for index, control in enumerate(controls):
        trained = [f"{ranges[index][0]:.2f} to {ranges[index][1]:.2f}"] if ranges else []
        ends = [three_figures(control["low"]), three_figures(control["high"])]
        rows.append(
            [
                plain(control["name"]),
                plain(control["unit"]),
                *ends,
                *trained,
                plain(control.get("description", "")),
            ]
        )
    return [row(header), "|" + "---|" * len(header), *map(row, rows)]

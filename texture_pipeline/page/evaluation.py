"""The results of `domain-adaptation evaluate` and `conditioned-synthesis evaluate`, read for the
page."""

import re
from pathlib import Path
from typing import Any

from texturelib.errors import TextureError
from texturelib.outputs import fingerprint, inputs_of

PICTURES = ("simulated_recordings.png", "slow_down.png")


def evaluation_in(adaptation: Path) -> Path | None:
    """Return the evaluation's folder in the folder of stage 3; None where there is none, or one
    that has not ended."""
    folder = adaptation / "evaluation"
    return folder if _has_ended(folder) and (folder / "report.md").is_file() else None


def measured_synthesiser_in(synthesis: Path) -> Path | None:
    """Return the evaluation's folder in the folder of stage 4; None where there is none, one
    that has not ended, or one of another synthesiser than the present one."""
    folder = synthesis / "evaluation"
    if not _has_ended(folder) or not (folder / "index.html").is_file():
        return None
    measured = inputs_of(folder).get("synthesiser")
    return folder if measured == fingerprint(synthesis / "synthesiser") else None


def _has_ended(folder: Path) -> bool:
    try:
        fingerprint(folder)
    except TextureError:
        return False
    return True


def report_parts(markdown: str) -> list[dict[str, Any]]:
    """Return the parts of a report in order: {"heading": text}, {"text": text}, or {"table": rows
    of cells, the head first, "is_number": by column}.

    The title is left out, as the page has its own.

    >>> report_parts("# Evaluation\\n\\n## Errors\\n\\nOver seeds.\\n\\n| method | mean |\\n|---|---|\\n| none | 0.2 |\\n")[1:]
    [{'text': 'Over seeds.'}, {'table': [['method', 'mean'], ['none', '0.2']], 'is_number': [False, True]}]
    """
    blocks = [block.strip() for block in markdown.split("\n\n")]
    return [_part(block) for block in blocks if block and not block.startswith("# ")]


def _part(block: str) -> dict[str, Any]:
    if block.startswith("#"):
        return {"heading": block.lstrip("# ")}
    if not block.startswith("|"):
        return {"text": block}
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines()
    ]
    head, *body = [rows[0], *rows[2:]]  # the second line tells head from body
    columns = [[row[index] for row in body if index < len(row)] for index in range(len(head))]
    is_number = [
        any(column) and all(re.match(r"[-+]?\d", cell) for cell in column if cell)
        for column in columns
    ]
    return {"table": [head, *body], "is_number": is_number}

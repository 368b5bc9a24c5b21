"""The page's part on what the recordings let one hear of each control."""

from collections import Counter
from pathlib import Path
from typing import Any

from texture_pipeline.page.album import Album
from texture_pipeline.page.config import PageConfig
from texturelib.controls import Control
from texturelib.files import read_table

_MOST_ROWS = 40
_MOST_NAMED = 3
_COLUMNS = ("source", "control", "word", "reason")


def heard(config: PageConfig, album: Album) -> dict[str, Any] | None:
    """Return the table and the picture that `conditioned-synthesis augment` wrote; None where it
    did not run."""
    rows = heard_in(config.augmented)
    if not rows or config.augmented is None:
        return None
    return {
        "rows": rows[:_MOST_ROWS],
        "n_more": max(0, len(rows) - _MOST_ROWS),
        "picture": album.picture(config.augmented / "heard.png"),
    }


def heard_in(augmented: Path | None) -> list[dict[str, Any]]:
    """Return what is heard in an augmented set, a row per recording and control; none where there
    is no such set, or nothing was looked at in it."""
    if augmented is None or not (augmented / "heard.csv").is_file():
        return []
    return read_table(augmented / "heard.csv", _COLUMNS).to_dict("records")  # type: ignore[return-value]


def note_on(control: Control, rows: list[dict[str, Any]]) -> str | None:
    """Return a sentence about a control that is not clear in all recordings; None for one that is,
    or where nothing was looked at.

    >>> rows = [{"source": "fire.wav", "control": "size", "word": "not heard", "reason": "a rumble hides it"}]
    >>> note_on(Control("size", 0.5, 2.0, "x", laws={"slow_down": 1.0}), rows)
    'Not heard in fire.wav: a rumble hides it.'
    >>> note_on(Control("hiss", -60.0, -20.0, "dB"), rows)
    'No law says how a sound changes with it, so it varies only as much as it does in the recordings.'
    """
    if not rows:
        return None
    if not any(control.laws.values()):
        return "No law says how a sound changes with it, so it varies only as much as it does in the recordings."
    own = [row for row in rows if row["control"] == control.name]
    if not own:
        return "There are too few clips of each recording to say whether it is heard."
    unclear = [row for row in own if row["word"] != "clear"]
    if not unclear:
        return None
    if len(unclear) > _MOST_NAMED:
        counts = Counter(row["word"] for row in unclear)
        words = ", ".join(f"{word} in {count}" for word, count in counts.items())
        return f"Of {len(own)} recordings, {words}."
    said = [f"{row['word']} in {row['source']}: {row['reason']}" for row in unclear]
    return "; ".join(said)[0].upper() + "; ".join(said)[1:] + "."

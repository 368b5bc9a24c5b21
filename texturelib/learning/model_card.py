"""Model cards: the README.md of every model folder, in Markdown."""

from collections.abc import Sequence
from pathlib import Path

from texturelib.dataset import versions
from texturelib.errors import TextureError
from texturelib.files import read_text, write_text
from texturelib.learning.weights import WEIGHTS, is_described

CARD = "README.md"


def write_card(folder: Path, lines: Sequence[str]) -> None:
    """Write `folder/README.md`, followed by the versions that the model was made with."""
    made_with = (
        _MADE_WITH
        + ", ".join(f"{name} {version}" for name, version in versions("torch").items())
        + "."
    )
    write_text(folder / CARD, "\n".join([*lines, made_with]) + "\n")


_MADE_WITH = "Made with "


def names_of_older_model(folder: Path) -> set[str]:
    """Return the files of a model folder without a list of them, as older imports left it:
    weights that describe themselves, and a card that says what it was made with."""
    names = set()
    if is_described(folder):
        names.add(WEIGHTS)
    try:
        last = read_text(folder / CARD).rstrip("\n").rpartition("\n")[2]
    except (TextureError, OSError, ValueError):
        last = ""
    if last.startswith(_MADE_WITH) and "texture-toolkit " in last:
        names.add(CARD)
    return names

"""What the cards of all model folders have in common: README.md, in Markdown."""

from collections.abc import Sequence
from pathlib import Path

from texturelib.dataset import versions
from texturelib.files import write_text


def write_card(folder: Path, lines: Sequence[str]) -> None:
    """Write `folder/README.md`, and what it was made with below it."""
    made_with = "Made with " + ", ".join(f"{name} {version}" for name, version in versions("torch").items()) + "."
    write_text(folder / "README.md", "\n".join([*lines, made_with]) + "\n")

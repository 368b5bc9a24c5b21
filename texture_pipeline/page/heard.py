"""The page's part on what the recordings let one hear of each control."""

from typing import Any

from texture_pipeline.page.album import Album
from texture_pipeline.page.config import PageConfig
from texturelib.files import read_table


def heard(config: PageConfig, album: Album) -> dict[str, Any] | None:
    """Return the table and the picture that `conditioned-synthesis augment` wrote; None where it
    did not run."""
    folder = config.augmented
    if folder is None or not (folder / "heard.csv").exists():
        return None
    table = read_table(folder / "heard.csv")
    return {
        "columns": list(table.columns),
        "rows": table.to_dict("records"),
        "picture": album.picture(folder / "heard.png") if (folder / "heard.png").exists() else None,
    }

"""The configs that come with the toolkit: in the repository beside the packages, and in an installed
toolkit within this one."""

from pathlib import Path


def shipped_configs() -> Path:
    """Return the folder that holds a folder of configs for each sound, and their schemas."""
    here = Path(__file__).parent
    installed = here / "configs"
    return installed if installed.is_dir() else here.parent / "configs"

"""What the command of stage 2 reads, and whether its output is there already."""

from pathlib import Path

from real_datasets.config import RealConfig
from texturelib.outputs import Output, look_at_output


def inputs_of(settings: RealConfig, command: str) -> dict[str, Path]:
    """-> by name: recordings and tables on disk."""
    return settings.inputs


def folder_of(settings: RealConfig, command: str) -> Path:
    return settings.output


def look(settings: RealConfig, command: str, *, overwrite: bool = False, dry_run: bool = False) -> Output:
    """Errors: as `look_at_output`."""
    return look_at_output(
        settings, f"real-datasets {command}", inputs=inputs_of(settings, command), overwrite=overwrite, dry_run=dry_run
    )

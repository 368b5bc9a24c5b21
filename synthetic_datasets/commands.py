"""What each command of stage 1 reads, and whether its output is there already."""

from pathlib import Path

from synthetic_datasets.config import RecordingsConfig, SyntheticConfig
from texturelib.outputs import Output, look_at_output


def inputs_of(settings: SyntheticConfig | RecordingsConfig, command: str) -> dict[str, Path]:
    """-> by name: the files that its engine plays."""
    return settings.engine.inputs


def folder_of(settings: SyntheticConfig | RecordingsConfig, command: str) -> Path:
    return settings.output


def look(
    settings: SyntheticConfig | RecordingsConfig,
    command: str,
    *,
    sample: int | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
) -> Output:
    """sample: of `generate`, how many clips of the plan are asked for. Errors: as `look_at_output`."""
    return look_at_output(
        settings,
        f"synthetic-datasets {command}",
        extra={"sample": sample} if command == "generate" else None,
        inputs=inputs_of(settings, command),
        overwrite=overwrite,
        dry_run=dry_run,
    )

"""What each command of stage 4 reads, which folder it writes, and whether that is there already."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from conditioned_synthesis.config import SynthesisConfig
from texturelib.errors import TextureError
from texturelib.files import shown
from texturelib.outputs import Output, look_at_output


class _Input(NamedTuple):
    """maker: the command that makes it. is_named: whether the config names it, under `name`."""

    name: str
    path: Path
    maker: str
    is_named: bool = False


def inputs_of(settings: SynthesisConfig, command: str) -> dict[str, Path]:
    """-> by name: the folders that it reads."""
    return {each.name: each.path for each in _inputs(settings, command)}


def folder_of(settings: SynthesisConfig, command: str) -> Path:
    return {
        "analyse": settings.analysis_folder,
        "balance": settings.balanced_folder,
        "export": settings.mtcrnn_folder,
        "train": settings.synthesiser_folder,
        "linearise": settings.linearised_folder,
        "generate": settings.examples_folder,
        "evaluate": settings.evaluation_folder,
    }[command]


def look(settings: SynthesisConfig, command: str, *, overwrite: bool = False, dry_run: bool = False) -> Output:
    """Errors: TextureError when a folder that it reads is not there; else as `look_at_output`."""
    for name, path, maker, is_named in _inputs(settings, command):
        if not path.exists() and not dry_run:
            raise TextureError(f'{f"{name}: " if is_named else ""}{shown(path)}: no such folder; run "{maker}" first')
    return look_at_output(
        settings,
        f"conditioned-synthesis {command}",
        folder=folder_of(settings, command),
        only={command, "synthesiser", "compute"} if command == "train" else {command},
        inputs=inputs_of(settings, command),
        overwrite=overwrite,
        dry_run=dry_run,
    )


def _inputs(settings: SynthesisConfig, command: str) -> Iterator[_Input]:
    if command in ("analyse", "balance"):
        yield _Input("labelled", settings.labelled, "domain-adaptation label")
    if command == "export":
        maker = "conditioned-synthesis balance" if settings.export.source == "balanced" else "domain-adaptation label"
        yield _Input(settings.export.source, settings.exported_folder, maker)
    if command in ("linearise", "evaluate") or (command == "generate" and not settings.linearise):
        yield _Input("synthesiser", settings.synthesiser_folder, "conditioned-synthesis train")
    if command in ("generate", "evaluate") and settings.linearise:
        yield _Input("instrument", settings.linearised_folder, "conditioned-synthesis linearise")
    if command in ("train", "evaluate"):
        yield _Input("sounds", settings.sounds_folder, "conditioned-synthesis export")
    if command in ("linearise", "evaluate") and settings.labeller:
        yield _Input("labeller", settings.labeller, "domain-adaptation adapt", is_named=True)
    if command == "evaluate":
        for name, path in (settings.evaluate.also if settings.evaluate else {}).items():
            yield _Input(f"evaluate.also.{name}", path, "conditioned-synthesis train", is_named=True)

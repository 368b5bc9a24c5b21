"""Write the configs of a new project."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from texture_pipeline.project.comments import as_text, with_comments
from texture_pipeline.shipped import shipped_configs
from texture_pipeline.stages import STAGES, Stage, check_recordings
from texturelib.errors import UsageError
from texturelib.files import read_json, shown, write_text

Sound = Literal["none", "liquid", "rain", "fire", "wind"]

_SCHEMAS = ".schemas"
_RANGE = (0.1, 0.9)  # of the controls of an engine that has no configs of its own
_FROM: dict[Sound, str] = {
    "none": "instrument",
    "liquid": "demo",
    "rain": "demo",
    "fire": "fire_demo",
    "wind": "demo",
}
"""The shipped configs from which those of a sound are made."""


def new_project(
    project: Path, recordings: Path, sound: Sound, sample_rate: int | None, is_stereo: bool
) -> list[Path]:
    """Write the configs of a project, with a comment above each key, and return them.

    Args:
        project: A folder that does not exist, or is empty. Results go into `project/results`.
        recordings: A folder that holds sound files, or one.
        sound: The engine whose controls become sliders; "none": the sliders are the laws' own.
        sample_rate: Of the clips, in Hz; None: as in the shipped configs.
        is_stereo: Make clips of two channels.
    Errors: UsageError.
    """
    if project.exists() and (not project.is_dir() or any(project.iterdir())):
        raise UsageError(f"{shown(project)}: is there already; name a folder that is new or empty")
    check_recordings(recordings)
    template = shipped_configs() / _FROM[sound]
    stages = [
        stage
        for stage in STAGES
        if not stage.is_simulation and (template / f"{stage.name}.json").exists()
    ]
    changes: dict[str, Callable[[dict[str, Any]], None]] = {
        "synthetic": lambda content: _for_engine(content, sound),
        "real": lambda content: _for_recordings(content, project, recordings, is_stereo),
        "adaptation": lambda content: content.pop("evaluation", None),  # of simulated recordings
    }
    files = {}
    for stage in stages:
        content = _moved(
            read_json(template / f"{stage.name}.json"), f"../../results/{template.name}"
        )
        changes.get(stage.name, lambda _: None)(content)
        if sample_rate and "sample_rate" in content:
            content["sample_rate"] = sample_rate
        files[f"{stage.name}.json"] = as_text(_commented(content, stage, project))
        schema = shipped_configs() / "schemas" / f"{stage.name}.json"
        files[f"{_SCHEMAS}/{stage.name}.json"] = schema.read_text(encoding="utf-8")
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        write_text(project / name, text)
    return [project / f"{stage.name}.json" for stage in stages]


def _commented(content: dict[str, Any], stage: Stage, project: Path) -> dict[str, Any]:
    config = stage.config_model.model_validate(content, context={"folder": project.absolute()})
    commands = ", ".join(command.name for command in stage.commands)
    return {
        "$schema": f"{_SCHEMAS}/{stage.name}.json",
        "//": f"Read by {stage.program} {commands}. Paths are relative to this file.",
        **with_comments({key: value for key, value in content.items() if key != "$schema"}, config),
    }


def _moved(value: Any, results: str) -> Any:
    """Return a config's content with each path in `results` moved to the project's results."""
    if isinstance(value, str) and (value == results or value.startswith(f"{results}/")):
        return f"results{value.removeprefix(results)}"
    if isinstance(value, dict):
        return {key: _moved(item, results) for key, item in value.items()}
    return [_moved(item, results) for item in value] if isinstance(value, list) else value


def _for_recordings(
    content: dict[str, Any], project: Path, recordings: Path, is_stereo: bool
) -> None:
    content["source"] = {"type": "folder", "path": _as_seen_from(project, recordings)}
    if is_stereo:
        content["channels"] = 2


def _as_seen_from(project: Path, recordings: Path) -> str:
    """Return the path of the recordings: relative where they lie beside or in the project, so that
    both may be moved together."""
    here, there = project.absolute(), recordings.absolute()
    if there.is_relative_to(here.parent):
        return Path(os.path.relpath(there, here)).as_posix()
    return str(there)


def _for_engine(content: dict[str, Any], sound: Sound) -> None:
    if content["engine"]["type"] == sound:
        return
    from synthetic_datasets.engines import engines

    [engine] = [each for each in engines.models if each.model_fields["type"].default == sound]
    controls = {control.name: list(_RANGE) for control in engine.available}  # type: ignore[attr-defined]
    content["engine"] = {"type": sound, "controls": controls}
    content["file_name"] = f"{sound}_{{number}}.wav"

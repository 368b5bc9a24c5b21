"""What has been made of a project: each command, its folder's size, and how good it is."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from texture_pipeline.doctor.plan import Becomes, Step, find_jobs, make_plan
from texture_pipeline.project.figures import figures_of
from texture_pipeline.stages import PAGE
from texturelib.errors import UsageError
from texturelib.files import shown

_STATE: dict[Becomes, str] = {
    "skipped": "made",
    "gone on with": "stopped on the way",
    "replaced": "out of date",
    "made": "not yet made",
    "refused": "cannot be made",
}


def status_of(
    folder: Path, overrides: Sequence[str], recordings: Path | None, output: Path | None
) -> str:
    """Return a table of the commands of a folder of configs, and what to do next. Arguments as
    those of a run: see `plan_jobs`. Errors: UsageError, also where a config is wrong."""
    jobs, wrong = find_jobs(folder, overrides, recordings, output)
    if wrong:
        raise UsageError(wrong[0].found)
    steps = make_plan(jobs, True, wrong)[0].steps
    rows = [
        (_name(step), _STATE[step.becomes], _size(step.folder), _remark(step)) for step in steps
    ]
    options = [word for each in overrides for word in ("--set", each)]
    options += ["--recordings", shown(recordings)] if recordings else []
    options += ["--output", shown(output)] if output else []
    return "\n".join([*_aligned(rows), "", f"next: {_next(steps, folder, options)}"])


def _name(step: Step) -> str:
    return f"{step.job.stage.name} {step.command}"


def _remark(step: Step) -> str:
    if step.becomes == "skipped":
        return figures_of(step.command, step.folder)
    return "" if step.becomes == "made" else step.why


def _size(folder: Path) -> str:
    """Return the size of all files in a folder, in words.

    >>> _size(Path("/nowhere"))
    ''
    """
    if not folder.is_dir():
        return ""
    n_bytes = sum(
        path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    )
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"


def _aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return rows as lines whose columns stand under one another.

    >>> _aligned([("a", "made", ""), ("long", "x", "1")])
    ['a     made', 'long  x     1']
    """
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _next(steps: Sequence[Step], folder: Path, options: Sequence[str]) -> str:
    to_do = [step for step in steps if step.becomes != "skipped"]
    if refused := [step for step in to_do if step.becomes == "refused"]:
        return refused[0].why
    if to_do:
        return shlex.join(["texture-pipeline", shown(folder), *options])
    return f"open {shown(steps[0].config.output.parent / PAGE / 'index.html')}"

"""Try a little of everything that will run, with the commands' own code, in a temporary folder."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

from texture_pipeline.doctor.findings import Finding, refused
from texture_pipeline.doctor.flow import Flow
from texture_pipeline.doctor.plan import Plan, Step
from texture_pipeline.doctor.scratch import Scratch, scratch
from texture_pipeline.stages import Job
from texturelib.costs import Measured
from texturelib.errors import TextureError, first_line
from texturelib.progress import progress

_AREA = "data"


def measure(
    plan: Plan, flow: Flow, surveys: Mapping[Path, Any], measured: Measured
) -> Iterator[Finding]:
    """Measure each command that will run. measured: receives the results. Yields a finding for
    everything that went wrong or would be left out."""
    with scratch() as place:
        parts = list(_parts(plan, flow, surveys, measured, place))
        found: list[Finding] = []
        for part in progress(parts, "measuring", unit="part"):
            try:
                # Hide the commands' own progress bars.
                with redirect_stderr(StringIO()):
                    found += part()
            except TextureError as error:
                found += refused(_AREA, error)
            # The first was said; the second is the scratch folder's, not the output's.
            except (ImportError, OSError) as error:
                found.append(
                    Finding("time", "note", f"a part could not be measured ({first_line(error)})")
                )
    yield from found


def _parts(
    plan: Plan, flow: Flow, surveys: Mapping[Path, Any], measured: Measured, place: Scratch
) -> Iterator[Callable[[], list[Finding]]]:
    for step in plan.running():
        if step.job.stage.package == "synthetic_datasets":
            yield partial(_render, step, measured, place)
        elif step.job.stage.package == "real_datasets":
            yield partial(_cut, step, flow, surveys, measured, place)
    for job in plan.jobs:
        commands = [step.command for step in plan.running() if step.job == job]
        if commands and job.stage.package == "domain_adaptation":
            yield partial(_learn, job, commands, measured, place)
        elif commands and job.stage.package == "conditioned_synthesis":
            yield partial(_synthesise, job, commands, flow, measured, place)


def _render(step: Step, measured: Measured, place: Scratch) -> list[Finding]:
    from texture_pipeline.doctor.rehearse_sounds import rehearse_recording, rehearse_rendering

    rehearse = rehearse_rendering if step.command == "generate" else rehearse_recording
    measured.rendering[step.job.path.name] = found = rehearse(step, place)
    return _left_out(step, found)


def _cut(
    step: Step, flow: Flow, surveys: Mapping[Path, Any], measured: Measured, place: Scratch
) -> list[Finding]:
    from texture_pipeline.doctor.rehearse_sounds import rehearse_cutting

    survey = surveys.get(step.folder)
    found = rehearse_cutting(step, survey, place)
    if found is None:
        return []
    name = step.job.path.name
    takes = next((clips for path in step.inputs.values() if (clips := flow.at(path))), None)
    measured.cutting[name] = found
    if survey:
        measured.recorded[name] = survey.seconds
    elif takes:
        measured.recorded[name] = takes.n * takes.seconds
    return _left_out(step, found)


def _left_out(step: Step, found: Any) -> list[Finding]:
    n = found.each.n + 1
    if not found.left_out:
        return []
    name, reason = next(iter(found.left_out.items()))
    words = f"{step.job.path.name}: of {n} that were tried, {len(found.left_out)} are left out (the first: {name}: {reason})"
    if len(found.left_out) > step.job.config.max_rejected * n:  # type: ignore[attr-defined]
        words += "; if all are like these, more than max_rejected allows"
    return [Finding(_AREA, "note", words)]


def _learn(job: Job, commands: list[str], measured: Measured, place: Scratch) -> list[Finding]:
    from texture_pipeline.doctor.rehearse_labels import rehearse_learning

    measured.learning[job.path.name] = rehearse_learning(job.config, commands, place)  # type: ignore[arg-type]
    return []


def _synthesise(
    job: Job, commands: list[str], flow: Flow, measured: Measured, place: Scratch
) -> list[Finding]:
    from texture_pipeline.doctor.rehearse_augment import rehearse_augment
    from texture_pipeline.doctor.rehearse_synthesis import rehearse_export, rehearse_synthesis

    config: Any = job.config
    if "export" in commands:
        measured.exporting[job.path.name] = rehearse_export(config, place)
    if "augment" in commands:
        measured.augmenting[job.path.name] = rehearse_augment(config, place)
    if {"train", "linearise", "generate", "evaluate"}.intersection(commands):
        sounds = flow.at(config.sounds_folder)
        measured.synthesis[job.path.name] = rehearse_synthesis(
            config, sounds.n if sounds else 1, place
        )
    return []

"""All checks, in order. A new one, such as whether an `executor` can connect, is one more line
in `examine`."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from texture_pipeline.doctor.findings import Finding, Report
from texture_pipeline.doctor.plan import find_jobs, make_plan
from texturelib.files import shown


def examine(
    place: Path | None,
    overrides: Sequence[str],
    recordings: Path | None,
    output: Path | None,
    is_quick: bool,
) -> Report:
    """Run the checks. place: a config, a sound's folder of configs, or None: the environment
    alone. is_quick: leave out what has to be measured.

    Errors: UsageError when there is nothing to look at.
    """
    from texture_pipeline.doctor.environment import look_at_environment

    report = Report()
    if place is None:
        report.add(look_at_environment(None))
        return report
    jobs, wrong = find_jobs(place, overrides, recordings, output)
    plan, commands = make_plan(jobs, place.is_dir(), wrong)
    began = time.monotonic()
    report.add(look_at_environment(plan))
    start = 1.5 + time.monotonic() - began  # mostly imports, which each command repeats
    report.add(wrong)
    report.add(Finding("config", "ok", shown(job.path)) for job in jobs)
    report.add(commands)

    from texture_pipeline.doctor.datasets import look_at_datasets
    from texture_pipeline.doctor.disk import look_at_disk
    from texture_pipeline.doctor.estimates import estimate
    from texture_pipeline.doctor.fitting import look_at_fit
    from texture_pipeline.doctor.flow import Flow
    from texture_pipeline.doctor.measure import measure
    from texture_pipeline.doctor.recordings import look_at_recordings
    from texturelib.costs import Measured

    surveys: dict[Path, Any] = {}
    report.add(look_at_recordings(plan, surveys))
    report.add(look_at_datasets(plan))
    flow = Flow(plan, surveys)
    report.add(look_at_fit(plan, flow))
    n_bytes: dict[str, Any] = {}
    seconds: dict[str, Any] = {}
    measured = Measured(start)
    if not is_quick:
        report.add(measure(plan, flow, surveys, measured))
    report.add(look_at_disk(plan, flow, _parameters(measured), n_bytes))
    if not is_quick:
        report.add(estimate(plan, flow, measured, seconds))
    report.details["commands"] = [
        {
            "command": step.name,
            "folder": str(step.folder),
            "becomes": step.becomes,
            "why": step.why,
            "bytes": n_bytes.get(step.name),
            "time": seconds.get(step.name),
        }
        for step in plan.steps
    ]
    report.details["examined_in_seconds"] = round(time.monotonic() - began, 1)
    return report


def _parameters(measured: Any) -> dict[str, int]:
    found = {**measured.learning, **measured.synthesis}
    return {name: each.n_parameters for name, each in found.items() if each}

"""The commands that would run: with which config, into which folder, and what happens to the
folder's content."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from texture_pipeline.doctor.findings import Finding, refused
from texture_pipeline.stages import STAGES, Job, Stage, missing_inputs, plan_jobs, wanted_stages
from texturelib.config import load_config
from texturelib.errors import TextureError, UsageError, first_line
from texturelib.extras import not_importable
from texturelib.files import shown

Becomes = Literal["skipped", "made", "gone on with", "replaced", "refused"]


@dataclass(frozen=True)
class Step:
    """A command that may run.

    folder: the folder that it writes. inputs: what it reads, by name. why: what the command says
    about its folder. costs: its stage's module that estimates what it makes, writes and takes.
    """

    job: Job
    command: str
    costs: Any
    folder: Path
    inputs: dict[str, Path]
    why: str
    becomes: Becomes

    @property
    def name(self) -> str:
        return f"{self.job.stage.program} {self.command} {self.job.path.name}"

    @property
    def config(self) -> Any:
        return self.job.config

    @property
    def config_name(self) -> str:
        return self.job.path.name

    @property
    def runs(self) -> bool:
        return self.becomes not in ("skipped", "refused")


@dataclass(frozen=True)
class Plan:
    """The commands of a run, in order. is_whole: whether it runs a sound's whole folder, whose
    results get a page."""

    jobs: Sequence[Job]
    steps: Sequence[Step]
    is_whole: bool

    def running(self, *commands: str) -> Iterable[Step]:
        """Return the steps that will run; only those of `commands` if any are named."""
        return [
            step for step in self.steps if step.runs and (not commands or step.command in commands)
        ]

    def will_make(self, path: Path) -> bool:
        """Return whether a step writes there."""
        return _maker(path, self.running()) is not None


def find_jobs(
    place: Path, overrides: Sequence[str], recordings: Path | None, output: Path | None
) -> tuple[list[Job], list[Finding]]:
    """Return the jobs whose configs are right, and findings about the others. place: a config,
    or a sound's folder of configs.

    Errors: UsageError when there is nothing to look at.
    """
    if place.is_dir() or not place.exists():
        return _jobs_of_folder(place, overrides, recordings, output)
    if recordings or output:
        raise UsageError(
            "--recordings and --output go with a sound's folder of configs, not with one config"
        )
    stage = _stage_of(place)
    try:
        return [
            Job(stage, place, load_config(place, stage.config_model, overrides), tuple(overrides))
        ], []
    except (UsageError, ImportError) as error:
        return [], _wrong(place, error)


def _wrong(path: Path, error: UsageError | ImportError) -> list[Finding]:
    if isinstance(error, UsageError):
        return refused("config", error)
    what = not_importable(error) or first_line(error)
    return [
        Finding(
            "config",
            "NO",
            f"{shown(path)}: cannot be checked ({what})",
            "make setup installs what is missing",
        )
    ]


def _jobs_of_folder(
    folder: Path, overrides: Sequence[str], recordings: Path | None, output: Path | None
) -> tuple[list[Job], list[Finding]]:
    wanted = wanted_stages(folder, overrides, recordings)
    try:
        return plan_jobs(folder, overrides, recordings, output)[0], []
    except (UsageError, ImportError) as error:
        first = error
    jobs: list[Job] = []
    wrong: list[Finding] = []
    for stage, own in wanted:
        path = folder / f"{stage.name}.json"
        try:
            jobs.append(Job(stage, path, load_config(path, stage.config_model, own), tuple(own)))
        except (UsageError, ImportError) as error:
            wrong += _wrong(path, error)
    if len(jobs) == len(wanted):
        missing = list(missing_inputs(jobs, jobs[0].config.output.parent))
        wrong += [Finding("config", "NO", each, is_config=True) for each in missing] or _wrong(
            folder, first
        )
    elif output:
        jobs = []  # they would write to other folders than their configs say
    return jobs, wrong


def _stage_of(path: Path) -> Stage:
    """Return the stage that a config is for, by its file name or else by its schema's. Errors:
    UsageError."""
    by_name = {stage.name: stage for stage in STAGES}
    try:
        schema = json.loads(path.read_text(encoding="utf-8")).get("$schema", "")
    except (ValueError, AttributeError, OSError):
        schema = ""
    for name in (path.stem, Path(str(schema)).stem):
        if name in by_name:
            return by_name[name]
    raise UsageError(
        f"{shown(path)}: of which stage is it? Neither its name nor its $schema is one of {', '.join(by_name)}"
    )


def make_plan(
    jobs: Sequence[Job], is_whole: bool, wrong: Sequence[Finding]
) -> tuple[Plan, list[Finding]]:
    """Return the plan, and a finding for each command. wrong: the findings about the configs."""
    steps: list[Step] = []
    findings: list[Finding] = []
    for job in jobs:
        for command in job.commands:
            folder, inputs = command.folder(job.config), command.paths(job.config)
            try:
                output = command.check_output(job.config, dry_run=True)
            except TextureError as error:
                step = Step(
                    job, command.name, command.costs_module, folder, inputs, str(error), "refused"
                )
                findings.append(Finding("commands", "NO", f"{step.name}: {error}"))
            else:
                makers = {
                    name: maker for name, path in inputs.items() if (maker := _maker(path, steps))
                }
                becomes, why = _becomes(folder, output.is_done, output.why, makers)
                step = Step(job, command.name, command.costs_module, folder, inputs, why, becomes)
                lacking = (
                    {}
                    if becomes == "skipped"
                    else {name: path for name, path in inputs.items() if name not in makers}
                )
                findings.append(_finding(step, lacking, is_whole, wrong))
            steps.append(step)
    return Plan(jobs, steps, is_whole), findings


def _maker(path: Path, steps: Iterable[Step]) -> Step | None:
    """Return the step that writes `path`, or into it."""
    for step in steps:
        if step.becomes != "skipped" and (
            path.is_relative_to(step.folder) or step.folder.is_relative_to(path)
        ):
            return step
    return None


def _becomes(folder: Path, is_done: bool, why: str, makers: dict[str, Step]) -> tuple[Becomes, str]:
    """Return what will happen to the folder, and why. makers: by name of an input, the earlier
    step that makes it, again or for the first time."""
    if is_done and not makers:
        return "skipped", why
    if is_done:
        return "replaced", f"what it reads is made anew: {', '.join(makers)}"
    if why.startswith("waits: "):
        is_there = folder.is_dir() and any(folder.iterdir())
        after = ", ".join(dict.fromkeys(maker.command for maker in makers.values()))
        return "replaced" if is_there else "made", f"after {after}" if after else why
    if why == "first run":
        return "made", why
    return ("gone on with" if why == "goes on where it was stopped" else "replaced"), why


def _finding(
    step: Step, lacking: dict[str, Path], is_whole: bool, wrong: Sequence[Finding]
) -> Finding:
    """Return the finding for a step. lacking: inputs that no step makes; a wrong config may be
    the reason."""
    place = f"{step.name}: {shown(step.folder)}: {step.why}"
    missing = [path for path in lacking.values() if not path.exists()]
    if missing or (lacking and step.why.startswith("waits: ")):
        if wrong:
            return Finding(
                "commands",
                "note",
                f"{step.name}: cannot be looked at before the configs are mended",
            )
        what = (
            f"{shown(missing[0])}: no such file or folder"
            if missing
            else step.why.removeprefix("waits: ")
        )
        mend = "make it first, or name another" if missing else ""
        return Finding("commands", "NO", f"{step.name}: {what}", mend)
    if step.becomes == "replaced" and any(step.folder.glob("*")):
        how = "is replaced" if is_whole else "is replaced with --overwrite, and refused without"
        return Finding("commands", "note", f"{place}; what is there {how}")
    return Finding("commands", "ok", f"{place}{': skipped' if step.becomes == 'skipped' else ''}")

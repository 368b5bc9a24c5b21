"""The stages of one sound: which command reads which config, in which order."""

import importlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from texturelib.commands import Command
from texturelib.config import StageConfig, load_config, paths_in
from texturelib.errors import UsageError
from texturelib.executors import executor_named
from texturelib.files import shown
from texturelib.sound_files import find_audio, is_audio

PAGE = "page"
"""Name of the page's folder, beside the stages' outputs."""


@dataclass(frozen=True)
class Stage:
    """A config file that a sound's folder may hold, and the commands that read it. The stage runs
    where the file exists.

    is_simulation: the stage runs only where no recordings are given. for_others: keys of the config
    that none of these commands reads.
    """

    name: str
    package: str
    names: tuple[str, ...]
    is_simulation: bool = False
    for_others: tuple[str, ...] = ()

    @property
    def commands(self) -> list[Command]:
        """The commands that the package declares, in the order of `names`."""
        declared = {
            each.name: each for each in importlib.import_module(f"{self.package}.commands").COMMANDS
        }
        return [declared[name] for name in self.names]

    @property
    def config_model(self) -> type[StageConfig]:
        return self.commands[0].config_model

    @property
    def program(self) -> str:
        return self.package.replace("_", "-")


_PLAYING = ("augment", "train", "linearise", "generate", "evaluate")

STAGES = (
    Stage("synthetic", "synthetic_datasets", ("generate",)),
    Stage("recordings", "synthetic_datasets", ("simulate-recordings",), is_simulation=True),
    Stage("real", "real_datasets", ("build",)),
    Stage(
        "adaptation",
        "domain_adaptation",
        ("train-extractor", "train-scale", "train-classifier", "adapt", "label"),
        for_others=("evaluation",),
    ),
    Stage(
        "synthesis",
        "conditioned_synthesis",
        ("analyse", "balance", "export", *_PLAYING),
    ),
    # More synthesisers. The first of a folder is the one to make the augmented set, from which the
    # others learn too.
    Stage("grains", "conditioned_synthesis", _PLAYING),
    Stage("texenv", "conditioned_synthesis", _PLAYING),
    Stage("instrument", "conditioned_synthesis", _PLAYING),
)

SYNTHESISERS = ("synthesis", "grains", "texenv", "instrument")
"""Names of the stages that may train a synthesiser, in the order in which they run."""


@dataclass(frozen=True)
class Job:
    """A stage with its checked config. overrides: what `--set` gives to each of its commands."""

    stage: Stage
    path: Path
    config: StageConfig
    overrides: tuple[str, ...]

    @property
    def commands(self) -> list[Command]:
        """The commands that have what they need: a null in the config leaves a command out."""
        return [
            each
            for each in self.stage.commands
            if all(getattr(self.config, key) is not None for key in each.needs)
        ]


def plan_jobs(
    folder: Path,
    overrides: Sequence[str],
    recordings: Path | None,
    output: Path | None,
    executor: str | None = None,
) -> tuple[list[Job], Path]:
    """Read and check every config of `folder`; return the jobs in order, and the folder of all
    results.

    overrides: "stage.key.key=value" each. recordings: a folder of sounds in place of the configured
    ones. output: a folder in place of the one that the configs' outputs share; with `recordings`,
    the default is a folder beside it. executor: its name, in place of each config's executor.
    Errors: UsageError.
    """
    jobs = [
        _job(stage, folder, own)
        for stage, own in wanted_stages(folder, overrides, recordings, executor)
    ]
    results = _shared_folder([job.config.output for job in jobs])
    for missing in missing_inputs(jobs, results):
        raise UsageError(missing)  # otherwise the run would fail after hours
    if recordings and not output:
        output = results.with_name(f"{results.name}_{_name_of(recordings)}")
    if output:
        elsewhere = _normalised(output)
        jobs = [_moved(job, results, elsewhere, folder) for job in jobs]
        results = elsewhere
    return jobs, results


def wanted_stages(
    folder: Path, overrides: Sequence[str], recordings: Path | None, executor: str | None = None
) -> list[tuple[Stage, list[str]]]:
    """Return the stages that run, in order, each with the overrides for its config. Arguments as
    in `plan_jobs`."""
    there = _stages_in(folder)
    given = _by_stage(overrides)
    # First, so that the user's own overrides win.
    first = [f"executor={json.dumps(vars(executor_named(executor)))}"] if executor else []
    own = {name: [*first, *changes] for name, changes in given.items()}
    if recordings:
        recordings = _normalised(recordings)
        check_recordings(recordings)
        if not any(stage.name == "real" for stage in there):
            raise UsageError(
                f"--recordings: {shown(folder)} has no real.json, which says how recordings are cut"
            )
        # Tags belong to the configured source. First, so that the user's own overrides win.
        source = json.dumps({"type": "folder", "path": str(recordings)})
        own["real"] = [f"source={source}", 'tags={"policy": "ignore"}', *own["real"]]
    wanted = [stage for stage in there if not (stage.is_simulation and recordings)]
    for stage in STAGES:
        if given[stage.name] and stage not in wanted:
            raise UsageError(
                f"--set {stage.name}.{given[stage.name][0]}: this run has no stage {stage.name}"
            )
    return [(stage, own[stage.name]) for stage in wanted]


def _stages_in(folder: Path) -> list[Stage]:
    """Return the stages whose configs lie in `folder`, in order. Errors: UsageError when there is
    none."""
    names = ", ".join(f"{stage.name}.json" for stage in STAGES)
    if not folder.is_dir():
        raise UsageError(
            f"{shown(folder)}: no such folder; name one with {names}, or some of these"
        )
    there = [stage for stage in STAGES if (folder / f"{stage.name}.json").exists()]
    if not there:
        raise UsageError(
            f"{shown(folder)}: holds no config of a stage; it should have {names}, or some of these"
        )
    return there


def _normalised(path: Path) -> Path:
    """Return the absolute path without "..", but with links as they are."""
    return Path(os.path.normpath(path.absolute()))


def check_recordings(path: Path) -> None:
    """Check that `path` is a sound file, or a folder that holds some. Errors: UsageError."""
    if not (is_audio(path) if path.is_file() else path.is_dir() and find_audio(path)):
        raise UsageError(
            f"--recordings: {shown(path)}: should be a folder that holds sound files, or a sound file"
        )


def _name_of(recordings: Path) -> str:
    """Return what results of these recordings are called after: the folder, or the file."""
    recordings = _normalised(recordings)
    return recordings.stem if recordings.is_file() else recordings.name


def _by_stage(overrides: Sequence[str]) -> dict[str, list[str]]:
    own: dict[str, list[str]] = {stage.name: [] for stage in STAGES}
    for override in overrides:
        stage, _, rest = override.partition(".")
        if stage not in own or "=" not in rest:
            raise UsageError(
                f"--set {override}: should look like STAGE.key=value, with one of {', '.join(own)} for STAGE"
            )
        own[stage].append(rest)
    return own


def _job(stage: Stage, folder: Path, overrides: Sequence[str]) -> Job:
    path = folder / f"{stage.name}.json"
    return Job(stage, path, load_config(path, stage.config_model, overrides), tuple(overrides))


def _shared_folder(outputs: Sequence[Path]) -> Path:
    shared = {output.parent for output in outputs}
    if len(shared) > 1:
        raise UsageError(
            f"output: the configs write into {len(shared)} different folders; put their outputs side by side"
        )
    results = shared.pop()
    for output in outputs:
        if outputs.count(output) > 1 or output == results / PAGE:
            raise UsageError(
                f"output: {shown(output)} is another stage's or the page's; give each config a folder of its own"
            )
    return results


def missing_inputs(jobs: Sequence[Job], results: Path) -> Iterator[str]:
    """Return a sentence for each file or folder that does not exist, and that no job makes.
    results: the folder that the jobs write to."""
    outputs = [job.config.output for job in jobs]
    for job in jobs:
        for key_path, path in paths_in(job.config):
            if key_path.split(".")[0] in job.stage.for_others or path.exists():
                continue
            if any(path.is_relative_to(output) for output in outputs):
                continue
            hint = ""
            if path.is_relative_to(results):
                hint = f", and no config in {shown(job.path.parent)} writes it"
            elif job.stage.name == "real" and key_path == "source.path":
                hint = "; --recordings FOLDER names yours (make: RECORDINGS=FOLDER)"
            yield f"{shown(job.path)}: {key_path}: {shown(path)}: no such file or folder{hint}"


def _moved(job: Job, results: Path, elsewhere: Path, folder: Path) -> Job:
    """Return the same job, with every path inside `results` moved to `elsewhere`."""
    moves = [
        _override(key_path, elsewhere / path.relative_to(results))
        for key_path, path in paths_in(job.config)
        if path.is_relative_to(results)
    ]
    return _job(job.stage, folder, [*job.overrides, *moves])


def _override(key_path: str, path: Path) -> str:
    # As a person would type it: the commands run in this folder, to which a path after --set is
    # relative.
    return f"{key_path}={shown(path)}"

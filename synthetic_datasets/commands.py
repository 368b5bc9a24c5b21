"""The commands of stage 1 that read a config and write its output."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from texturelib.commands import Command, Input
from texturelib.errors import UsageError

if TYPE_CHECKING:
    from synthetic_datasets.config import RecordingsConfig, SyntheticConfig
    from texturelib.outputs import Output


def _of_engine(settings: "SyntheticConfig | RecordingsConfig") -> Iterator[Input]:
    """Yield the files that the config's engine plays."""
    for name, path in settings.engine.inputs.items():
        yield Input(name, path)


def _n_clips(settings: "SyntheticConfig", sample: int | None) -> int:
    return min(sample or settings.distribution.n_planned, settings.distribution.n_planned)


def _size(settings: "SyntheticConfig", sample: int | None) -> str:
    n_clips = _n_clips(settings, sample)
    megabytes = n_clips * settings.seconds * settings.sample_rate * 2 / 1e6
    return f"{n_clips} clips of {settings.seconds:g} s, {n_clips * settings.seconds / 3600:.2f} h, {megabytes:.0f} MB"


def _generate(
    settings: "SyntheticConfig",
    output: "Output",
    workers: int | None,
    sample: int | None,
    yes: bool,
) -> str:
    planned, asked = settings.distribution.n_planned, settings.distribution.n_clips
    if planned != asked and not yes:
        _agree(f"the distribution makes {planned} clips, not {asked}")
    from synthetic_datasets.generate import generate

    return f"{generate(settings, output, sample=sample, workers=workers)} clips"


def _agree(statement: str) -> None:
    """Ask whether to go on. Errors: UsageError unless a person at a terminal says yes."""
    import typer

    if not sys.stdin.isatty():
        raise UsageError(f"{statement}; agree with --yes, or change distribution.n_clips")
    if not typer.confirm(f"{statement}; go on?"):
        raise UsageError("nothing was rendered")


def _n_takes(settings: "RecordingsConfig") -> str:
    n_takes = settings.n_locations * settings.takes_per_location
    return f"{n_takes} recordings of {settings.seconds:g} s at {settings.n_locations} locations"


def _simulate(settings: "RecordingsConfig", output: "Output", workers: int | None) -> str:
    from synthetic_datasets.recordings import simulate_recordings

    simulate_recordings(settings, output, workers=workers)
    return _n_takes(settings)


def _problem(settings: "SyntheticConfig | RecordingsConfig", workers: int | None) -> str | None:
    from synthetic_datasets.clip_memory import problem_with_memory

    return problem_with_memory(settings, workers)


def generating(sample: int | None = None, yes: bool = False) -> Command:
    """Return the command `generate`.

    sample: only so many clips of the plan. yes: another number of clips than was asked for is
    agreed to.
    """
    return replace(
        GENERATE,
        plan=partial(_size, sample=sample),
        run=partial(_generate, sample=sample, yes=yes),
        extra={"sample": sample},
    )


def _folder(settings: Any) -> Any:
    return settings.output


GENERATE = Command(
    "synthetic-datasets",
    "generate",
    "Render the clips of CONFIG into its output folder.",
    "synthetic_datasets.config:SyntheticConfig",
    _folder,
    _of_engine,
    plan=partial(_size, sample=None),
    run=partial(_generate, sample=None, yes=False),
    problem=_problem,
    extra={"sample": None},
    has_workers=True,
)
SIMULATE_RECORDINGS = Command(
    "synthetic-datasets",
    "simulate-recordings",
    "Make simulated field recordings, with their true controls kept apart, to test labels against.",
    "synthetic_datasets.config:RecordingsConfig",
    _folder,
    _of_engine,
    plan=_n_takes,
    run=_simulate,
    problem=_problem,
    has_workers=True,
)

COMMANDS = (GENERATE, SIMULATE_RECORDINGS)

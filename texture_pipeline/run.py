"""Run the commands of a sound's stages, as a person would type them: one after the other, or those
that need nothing of one another side by side."""

import contextlib
import select
import shlex
import signal
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import joblib

from texture_pipeline.processes import Running, import_all, start
from texture_pipeline.stages import Job
from texturelib.commands import Command
from texturelib.errors import TextureError
from texturelib.executors import Local
from texturelib.files import shown

_PATIENCE_SECONDS = 10  # for a stopped command to clean up
_LOOK_SECONDS = 0.05  # between looks at what runs


@dataclass(frozen=True, eq=False)
class _Step:
    """A command of a job. words: its words on the command line."""

    job: Job
    command: Command
    words: tuple[str, ...]

    def needs(self, other: "_Step") -> bool:
        """Return whether it reads what the other one writes, or writes there itself.

        A job's own commands count as if they did: they seldom take equally long, and the longer one
        would keep its half of the cores to its end.
        """
        if self.job is other.job:
            return True
        written = other.command.folder(other.job.config)
        places = [each.path for each in self.command.inputs(self.job.config)]
        places.append(self.command.folder(self.job.config))
        return any(
            place.is_relative_to(written) or written.is_relative_to(place) for place in places
        )

    @property
    def is_new(self) -> bool:
        """Whether nothing is there yet, so that there will be something to do."""
        return not (self.command.folder(self.job.config) / "run.json").exists()


def run_commands(
    jobs: Sequence[Job],
    options: dict[str, list[str]],
    at_once: int = 1,
    *,
    imports: bool = True,
) -> int:
    """Run the jobs' commands, and return the exit status of the first that failed, or 0.

    options: further command-line words, by program and command ("" for every one). at_once: how
    many commands run side by side where they need nothing of one another; they then share this
    machine's cores, and each line that they print begins with the name of its stage. imports:
    whether what commands that have work to do need is imported once for all of them.
    """
    waiting = [
        _Step(job, command, tuple(_words(job, command, options)))
        for job in jobs
        for command in job.commands
    ]
    running: dict[_Step, Running] = {}
    try:
        while waiting or running:
            ready = _ready(waiting, running, at_once)
            n_together = len(running) + len(ready)
            for step in ready:
                if imports and step.is_new:
                    import_all(step.job.stage.package)
                waiting.remove(step)
                running[step] = _started(step, n_together)
            soon = next((step for step in waiting if step.is_new), None)
            if imports and soon:
                import_all(soon.job.stage.package)  # while others compute
            if status := _await_end(running):
                return status
    finally:
        _stop(list(running.values()))
    return 0


def default_at_once() -> int:
    """Return how many commands run side by side unless a person says so: two trainings fit into
    most machines' memory."""
    return min(2, joblib.cpu_count())


def _words(job: Job, command: Command, options: dict[str, list[str]]) -> list[str]:
    own = options.get(f"{job.stage.program} {command.name}", [])
    sets = [word for override in job.overrides for word in ("--set", override)]
    return [command.name, shown(job.path), *sets, *options.get("", []), *own]


def _ready(waiting: Sequence[_Step], running: Collection[_Step], at_once: int) -> list[_Step]:
    """Return the commands that can start now, in order: those that need nothing of any before them
    that has not ended."""
    if at_once == 1:
        return [] if running else list(waiting[:1])
    free = [
        step
        for index, step in enumerate(waiting)
        if not any(step.needs(other) for other in [*running, *waiting[:index]])
    ]
    return free[: at_once - len(running)]


def _started(step: _Step, n_together: int) -> Running:
    """Start a command that shares this machine with others. n_together: how many these are in
    all."""
    words, stage = [*step.words], step.job.stage
    share = max(1, joblib.cpu_count() // n_together) if n_together > 1 else None
    if share and step.command.has_workers and _is_divided_by_us(step.job):
        words += ["--workers", str(share)]
    print(f"\n$ {stage.program} {shlex.join(words)}", flush=True)
    return start(stage.package, words, f"{stage.name} | " if share else None, share)


def _is_divided_by_us(job: Job) -> bool:
    """Return whether the config leaves it to this machine how many workers there are."""
    executor = job.config.executor
    return isinstance(executor, Local) and executor.workers is None


def _await_end(running: dict[_Step, Running]) -> int:
    """Wait until one of the commands ends; return its status."""
    while True:
        for step, command in running.items():
            command.pass_on()
            status = command.status()
            if status is None:
                continue
            command.end()
            del running[step]
            if status < 0:
                name = signal.Signals(-status).name
                raise TextureError(
                    f"the command was ended from outside ({name}; of memory running out, SIGKILL is the sign)"
                )
            return status
        printed = [each.printed for each in running.values() if each.printed is not None]
        select.select(printed, [], [], _LOOK_SECONDS)


def _stop(commands: Sequence[Running]) -> None:
    """Let commands clean up, for as long as we have patience, and end them."""
    for command in commands:
        command.send(signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    try:
        while any(command.status() is None for command in commands):
            for command in commands:
                command.pass_on()
            if time.monotonic() > deadline:
                break
            time.sleep(_LOOK_SECONDS)
    finally:
        for command in commands:
            command.kill()
            with contextlib.suppress(OSError):
                command.end()

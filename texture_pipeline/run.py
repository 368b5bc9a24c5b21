"""Run the commands of a sound's stages, one after the other, as a person would type them."""

import contextlib
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence

from texture_pipeline.stages import Job
from texturelib.errors import TextureError
from texturelib.files import shown
from texturelib.orphans import environment_of_child

_PATIENCE_SECONDS = 10  # for a stopped command to clean up


def run_commands(jobs: Sequence[Job], options: dict[str, list[str]]) -> int:
    """Run the jobs' commands, and return the exit status of the first that failed, or 0.

    options: further command-line words, by program and command ("" for every one).
    """
    for job in jobs:
        for command in job.commands:
            own = options.get(f"{job.stage.program} {command.name}", [])
            words = [
                command.name,
                shown(job.path),
                *_set_options(job.overrides),
                *options.get("", []),
                *own,
            ]
            print(f"\n$ {job.stage.program} {shlex.join(words)}", flush=True)
            status = _run([sys.executable, "-m", job.stage.package, *words])
            if status:
                return status
    return 0


def _set_options(overrides: Sequence[str]) -> list[str]:
    return [word for override in overrides for word in ("--set", override)]


def _run(command: Sequence[str]) -> int:
    # The command never hears a Ctrl-C, which reaches every process of the terminal: it is stopped
    # from here, in the same way whether a person or a job scheduler stops us, and no import of it
    # is torn in the middle.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    process = subprocess.Popen(command, env=environment_of_child())
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        status = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_PATIENCE_SECONDS)
        raise
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if status < 0:
        name = signal.Signals(-status).name
        raise TextureError(
            f"the command was ended from outside ({name}; of memory running out, SIGKILL is the sign)"
        )
    return status

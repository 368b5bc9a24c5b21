"""Run the commands of a sound's stages, one after the other, as a person would type them."""

import shlex
import subprocess
import sys
from collections.abc import Sequence

from texture_pipeline.stages import Job
from texturelib.files import shown

_PATIENCE_SECONDS = 10  # for a command to put things in order after Ctrl-C


def run_commands(jobs: Sequence[Job], options: dict[str, list[str]]) -> int:
    """options: further command-line words, by command ("" for every one). -> the exit status of the first that failed, or 0."""
    for job in jobs:
        for command in job.stage.commands:
            words = [command, shown(job.path), *_set_options(job.overrides), *options.get("", []), *options.get(command, [])]
            print(f"\n$ {job.stage.program} {shlex.join(words)}", flush=True)
            status = _run([sys.executable, "-m", job.stage.package, *words])
            if status:
                return status
    return 0


def _set_options(overrides: Sequence[str]) -> list[str]:
    return [word for override in overrides for word in ("--set", override)]


def _run(command: Sequence[str]) -> int:
    process = subprocess.Popen(command)
    try:
        return process.wait()
    except KeyboardInterrupt:
        # A terminal's Ctrl-C has reached the command too; a signal sent to us alone has not.
        try:
            process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait(timeout=_PATIENCE_SECONDS)
        return process.returncode

"""What it costs that a finished set is on the disk: python benchmarks/durability.py [--clips 10000] [--rounds 3]

Runs `synthetic-datasets generate` with two workers into a folder that it removes again, turn by turn as it is, and without
anything that a power cut asks for: no sync, no checksums in the journal. Before each turn everything else is synced. Prints
Markdown: the seconds of each kind, by the clock and of the processors, which other work on the machine disturbs less; how long
the disk then still takes for what only the memory has; and what it costs to look at the finished clips of a run that goes on,
their content dropped from the memory first where root asks.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

# What the command does without, in a process of its own.
WITHOUT = """
import contextlib
import texturelib.files, texturelib.jobs, texturelib.outputs
texturelib.outputs.sync_folder = texturelib.files.sync_file = lambda path: None
texturelib.files.record_file = lambda path, content: None
texturelib.jobs.synced_meanwhile = lambda folder: contextlib.nullcontext()
"""
COMMAND = "import sys; from synthetic_datasets.cli import main; sys.argv[0] = 'synthetic-datasets'; main()"
CONTROLS = {"avgRate": [0.2, 0.75], "minRadius": [0.1, 0.5], "maxRadius": [0.5, 0.8], "expRadius": [0.2, 0.8]}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--clips", type=int, default=10_000, help="of a second, at 44.1 kHz")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--folder", type=Path, help="on the disk to measure; a temporary one unless given")
    chosen = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="texture-durability-", dir=chosen.folder))
    config = folder / "synthetic.json"
    distribution = {"type": "sobol", "n_clips": chosen.clips}
    content = {"output": "set", "engine": {"type": "liquid", "controls": CONTROLS}, "distribution": distribution}
    config.write_text(json.dumps(content))
    took: dict[str, list[Took]] = {"as it is": [], "without": []}
    try:
        for _ in range(chosen.rounds):
            for kind, before in (("without", WITHOUT), ("as it is", "")):
                shutil.rmtree(folder / "set", ignore_errors=True)
                os.sync()
                took[kind].append(timed(before, config))
        looking = looked_at(config, chosen.clips)
    finally:
        shutil.rmtree(folder)
    print("| clips | rounds | seconds, best | of processors, best | each round | then left to write, s |")
    print("|---|--:|--:|--:|---|--:|")
    for kind, rounds in took.items():
        each = ", ".join(f"{one.seconds:.1f}" for one in rounds)
        seconds, busy, left = (min(values) for values in zip(*rounds, strict=True))
        print(f"| {chosen.clips:,}, {kind} | {len(rounds)} | {seconds:.1f} | {busy:.1f} | {each} | {left:.1f} |")
    for what, place in (("seconds", 0), ("seconds of processors", 1)):
        now, then = (min(one[place] for one in took[kind]) for kind in ("as it is", "without"))
        print(f"\nAs it is takes {100 * (now / then - 1):+.1f} % of the {what} more.", end="")
    print(f"\n\n{looking}")


class Took(NamedTuple):
    """seconds: by the clock. busy: of all processors together. left: by the clock, of a sync after it."""

    seconds: float
    busy: float
    left: float


def timed(before: str, config: Path) -> Took:
    began, busy = time.monotonic(), busy_seconds()
    run(before + COMMAND, config)
    ended, busy = time.monotonic(), busy_seconds() - busy
    os.sync()
    return Took(ended - began, busy, time.monotonic() - ended)


def busy_seconds() -> float:
    """-> of all processes that this one has started and that have ended, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(program: str, config: Path) -> None:
    words = [sys.executable, "-c", program, "generate", str(config), "--workers", "2"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def looked_at(config: Path, n_clips: int) -> str:
    """-> what it takes to go on with a set whose clips are all finished, in words."""
    record = "import texturelib.outputs; texturelib.outputs.Output.finish = lambda *_, **__: None\n"
    shutil.rmtree(config.parent / "set")
    run(record + COMMAND, config)  # which leaves the journal of all its clips
    os.sync()
    with suppress(OSError):
        Path("/proc/sys/vm/drop_caches").write_text("3")
    from texturelib.jobs import _finished_before

    names = [f"clip_{number}.wav" for number in range(1, n_clips + 1)]
    began = time.monotonic()
    n_found = len(_finished_before(config.parent / "set" / "journal.jsonl", names, "file"))
    seconds = time.monotonic() - began
    return f"Looking at {n_found:,} finished clips takes {seconds:.1f} s, {1000 * seconds / max(1, n_found):.2f} ms each."


if __name__ == "__main__":
    main()

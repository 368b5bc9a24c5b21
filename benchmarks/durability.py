"""What it costs that a finished set is on the disk: python benchmarks/durability.py [--clips 500]
[--rounds 6] [--folder FOLDER]

Renders a set into a folder that it removes again, in this process, turn by turn as it is, and
without anything that a power cut asks for: no sync, no checksums in the journal. Before each turn
all else is synced. Prints Markdown: seconds of this process's processor, which other work on the
machine disturbs least, and by the clock; then what it takes to look at the finished clips of a run
that goes on, their content dropped from the memory first where root asks.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from unittest.mock import patch

from synthetic_datasets.commands import GENERATE
from synthetic_datasets.config import SyntheticConfig
from synthetic_datasets.generate import generate
from texturelib.jobs import _finished_before
from texturelib.outputs import Output

CONTROLS = {
    "avgRate": (0.2, 0.75),
    "minRadius": (0.1, 0.5),
    "maxRadius": (0.5, 0.8),
    "expRadius": (0.2, 0.8),
}
LEFT_OUT = {
    "texturelib.outputs.sync_folder": lambda *_: None,
    "texturelib.outputs.sync_file": lambda *_: None,
    "texturelib.files.sync_file": lambda *_: None,
    "texturelib.files.record_file": lambda *_: None,
    "texturelib.jobs.synced_meanwhile": lambda *_: nullcontext(),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--clips", type=int, default=500, help="of a second, at 44.1 kHz")
    arguments.add_argument("--rounds", type=int, default=6)
    arguments.add_argument(
        "--folder", type=Path, help="on the disk to measure; a temporary one unless given"
    )
    chosen = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="texture-durability-", dir=chosen.folder))
    turns: dict[str, list[tuple[float, float]]] = {"as it is": [], "without": []}
    try:
        render(folder, 20)  # compiles
        for number in range(chosen.rounds):
            for kind in sorted(turns, reverse=bool(number % 2)):
                turns[kind].append(
                    timed(folder, chosen.clips, {} if kind == "as it is" else LEFT_OUT)
                )
        looking = looked_at(folder, chosen.clips)
    finally:
        shutil.rmtree(folder)
    print(
        f"| {chosen.clips:,} clips, {chosen.rounds} turns | processor, s: best | median | clock, s: best | median |"
    )
    print("|---|--:|--:|--:|--:|")
    figures = {}
    for kind, rounds in turns.items():
        figures[kind] = [
            reduce(values)
            for values in zip(*rounds, strict=True)
            for reduce in (min, statistics.median)
        ]
        print(f"| {kind} | " + " | ".join(f"{figure:.2f}" for figure in figures[kind]) + " |")
    shares = [
        now / then - 1 for now, then in zip(figures["as it is"], figures["without"], strict=True)
    ]
    print("| more | " + " | ".join(f"{100 * share:+.1f} %" for share in shares) + " |")
    print(f"\n{looking}")


def render(folder: Path, n_clips: int) -> None:
    content = {
        "output": folder / "set",
        "engine": {"type": "liquid", "controls": CONTROLS},
        "distribution": {"type": "sobol", "n_clips": n_clips},
    }
    config = SyntheticConfig.model_validate(content)
    generate(config, GENERATE.check_output(config), workers=1)


def clear(folder: Path) -> None:
    shutil.rmtree(folder / "set", ignore_errors=True)
    os.sync()


def timed(
    folder: Path, n_clips: int, left_out: dict[str, Callable[..., object]]
) -> tuple[float, float]:
    """Return seconds of the processor, and by the clock."""
    with ExitStack() as stack:
        for name, instead in left_out.items():
            stack.enter_context(patch(name, instead))
        clear(folder)
        began, busy = time.monotonic(), time.process_time()
        render(folder, n_clips)
        return time.process_time() - busy, time.monotonic() - began


def looked_at(folder: Path, n_clips: int) -> str:
    """Return what it takes to go on with a set whose clips are all finished, in words."""
    clear(folder)
    with patch.object(Output, "finish", lambda *_, **__: None):
        render(folder, n_clips)
    journal = folder / "set" / "journal.jsonl"
    names = [f"clip_{number}.wav" for number in range(1, n_clips + 1)]
    os.sync()
    with suppress(OSError):
        Path("/proc/sys/vm/drop_caches").write_text("3")
    began = time.monotonic()
    n_found = len(_finished_before(journal, names, "file"))
    seconds = time.monotonic() - began
    return f"Looking at {n_found:,} finished clips takes {1000 * seconds / max(1, n_found):.2f} ms each."


if __name__ == "__main__":
    main()

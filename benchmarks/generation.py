"""How fast synthetic sets are made: python benchmarks/generation.py [--clips 100 1000 10000]
[--only liquid ...]

Runs `synthetic-datasets generate` with two workers, files written, into a folder that it removes
again. Prints Markdown: one table for every engine, and one for how the time grows with the number
of clips. Memory is that of all processes together (proportional set size), looked at five times a
second. The peer is what one would write first: bubble after bubble as a numpy array of sines, in
one process.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from synthetic_datasets.engines.liquid import Liquid
from texturelib.audio import write_wav

THESIS_SPEED = 10_000 / (41 * 60 + 44)  # it made 10,000 clips of a second in 41 min 44 s
RATE = 44100
WORKERS = 2

THESIS_GRID = {
    "avgRate": [0.2, 0.75],
    "minRadius": [0.1, 0.5],
    "maxRadius": [0.5, 0.8],
    "expRadius": [0.2, 0.8],
}
ENGINES: dict[str, dict[str, Any]] = {
    "liquid": {"type": "liquid", "controls": THESIS_GRID},
    "rain": {"type": "rain"},
    "fire": {"type": "fire"},
    "wind": {"type": "wind"},
    "puredata, liquid patch": {"type": "puredata", "patch": "liquid", "controls": THESIS_GRID},
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument(
        "--clips",
        type=int,
        nargs="+",
        default=[100, 1000, 10_000],
        help="sizes for the second table",
    )
    arguments.add_argument(
        "--only",
        nargs="+",
        choices=list(ENGINES),
        default=list(ENGINES),
        help="engines for the first",
    )
    chosen = arguments.parse_args()

    print(
        "| engine | clips of 1 s | seconds | x real time | x the thesis's 4.0 | peak memory, MB |\n|---|---|---|---|---|---|"
    )
    for name in chosen.only:
        n_clips = 400 if ENGINES[name]["type"] == "puredata" else 2000
        row(name, n_clips, *generate(ENGINES[name], n_clips))
    row("peer: numpy, bubble after bubble", 40, in_numpy(40), None)

    print(
        "\n| liquid, clips | seconds | of these per further clip, ms | peak memory, MB |\n|---|---|---|---|"
    )
    before: tuple[int, float] | None = None
    for n_clips in chosen.clips:
        seconds, megabytes = generate(ENGINES["liquid"], n_clips)
        further = (
            "" if before is None else f"{1000 * (seconds - before[1]) / (n_clips - before[0]):.2f}"
        )
        print(f"| {n_clips:,} | {seconds:.1f} | {further} | {megabytes:.0f} |", flush=True)
        before = n_clips, seconds


def row(name: str, n_clips: int, seconds: float, megabytes: float | None) -> None:
    speed = n_clips / seconds
    memory = f"{megabytes:.0f}" if megabytes else ""
    print(
        f"| {name} | {n_clips:,} | {seconds:.1f} | {speed:.0f} | {speed / THESIS_SPEED:.0f} | {memory} |",
        flush=True,
    )


def generate(engine: dict[str, Any], n_clips: int) -> tuple[float, float]:
    """Return the seconds from the command's start to its end, and the most memory that it took, in
    MB."""
    folder = Path(tempfile.mkdtemp(prefix="texture-benchmark-"))
    config = folder / "synthetic.json"
    if "controls" not in engine:
        from synthetic_datasets.engines import engines

        model = next(
            model
            for model in engines.models
            if model.model_fields["type"].default == engine["type"]
        )
        engine = engine | {"controls": {control.name: [0, 1] for control in model.available}}  # type: ignore[attr-defined]
    distribution = {"type": "sobol", "n_clips": n_clips}
    if engine["controls"] is THESIS_GRID:
        # Every clip of a smaller set is one of the thesis's 10,000.
        distribution = {
            "type": "uniform_joint",
            "n_clips": 10_000,
            "ratios": dict.fromkeys(THESIS_GRID, 1),
        }
    config.write_text(
        json.dumps(
            {"output": "set", "sample_rate": RATE, "engine": engine, "distribution": distribution}
        )
    )
    command = [
        sys.executable,
        "-m",
        "synthetic_datasets",
        "generate",
        str(config),
        "--workers",
        str(WORKERS),
    ]
    try:
        started = time.monotonic()
        process = subprocess.Popen([*command, "--sample", str(n_clips)], stdout=subprocess.DEVNULL)
        most = 0.0
        while process.poll() is None:
            most = max(most, memory_of(process.pid))
            time.sleep(0.2)
        if process.returncode:
            sys.exit(f"{engine['type']}: the command failed")
        return time.monotonic() - started, most / 1e6
    finally:
        shutil.rmtree(folder)


def memory_of(pid: int) -> float:
    """Return the bytes of the process and all its descendants; what they share is counted once."""
    total = 0.0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total = float(line.split()[1]) * 1024
        children = [
            child
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return total  # it has just ended
    return total + sum(memory_of(int(child)) for child in children)


def in_numpy(n_clips: int) -> float:
    """Return the seconds for as many clips of the thesis's grid, rendered without a voice limit,
    and written."""
    rng = np.random.default_rng(0)
    physical = {control.name: control.to_physical for control in Liquid.available}
    seconds_of_clip = np.arange(RATE) / RATE
    with tempfile.TemporaryDirectory(prefix="texture-benchmark-") as folder:
        started = time.monotonic()
        for index in range(n_clips):
            rate, smallest, largest, exponent = (
                float(physical[name](rng.uniform(*THESIS_GRID[name]))) for name in THESIS_GRID
            )
            samples = np.zeros(RATE, np.float32)
            for start in rng.integers(RATE, size=rng.poisson(rate)):
                radius = (smallest + (largest - smallest) * rng.random() ** exponent) / 1000
                depth = 0.2114 + 0.3821 * rng.random() ** 2.41
                damping, frequency = 0.13 / radius + 0.0072 * radius**-1.5, 3 / radius
                t = seconds_of_clip[: min(RATE - start, int(11.5 / damping * RATE) + 1)]
                rising = frequency * (1 + damping * 0.0678 * t / 2)
                bubble = (
                    17.2133
                    * radius**1.5
                    * depth
                    * np.exp(-damping * t)
                    * np.sin(2 * np.pi * rising * t)
                )
                samples[start : start + len(t)] += bubble
            write_wav(Path(folder) / f"{index}.wav", samples, RATE)
        return time.monotonic() - started


if __name__ == "__main__":
    main()

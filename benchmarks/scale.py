"""What an item costs, from few to many: python benchmarks/scale.py [--most 20000] [--only rendering
...]

Runs the commands themselves on clips of a tenth of a second, in a folder that it removes again,
below TMPDIR, which should be in memory where others use the disk too. Prints Markdown: for each job
the seconds and the processor's time of a further clip and the memory that it takes, from 100 clips
to 20,000; how much two workers gain on one, with clips of a second; and what it costs to hand an
item to an executor. The processor's time says more than the clock where others use the machine too.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from texturelib.audio import write_wav
from texturelib.executors import executor_named
from texturelib.jobs import run_jobs

SIZES = (1000, 5000, 20_000)
PER_RECORDING = 10  # segments
N_EMPTY = 50_000
FEW = 100
FEATURES = {"n_fft": 256, "hop_length": 40, "n_mels": 24}
CONTROLS = ("avgRate", "minRadius", "maxRadius", "expRadius")
JOBS = {
    "rendering": ("synthetic_datasets", "generate", "synthetic.json"),
    "segmenting": ("real_datasets", "build", "real.json"),
    "labelling": ("domain_adaptation", "label", "adaptation.json"),
    "export": ("conditioned_synthesis", "export", "synthesis.json"),
}


@dataclass(frozen=True)
class Clip:
    sample_rate: int
    seconds: float


SMALL, USUAL = Clip(8000, 0.1), Clip(44100, 1.0)


@dataclass(frozen=True)
class Cost:
    """What a run cost. seconds: by the clock. processor_seconds: of all processes. main_mb,
    worker_mb: the most memory that the main process, and the largest of its children, held at a
    time."""

    seconds: float
    processor_seconds: float
    main_mb: float
    worker_mb: float

    def without(self, other: "Cost") -> "Cost":
        """Return the cost with the times of `other` taken off."""
        return replace(
            self,
            seconds=self.seconds - other.seconds,
            processor_seconds=self.processor_seconds - other.processor_seconds,
        )


def main() -> None:
    arguments = argparse.ArgumentParser(description="What an item costs, from few to many.")
    arguments.add_argument("--most", type=int, default=SIZES[-1], help="clips")
    arguments.add_argument("--only", nargs="+", choices=list(JOBS), default=list(JOBS))
    arguments.add_argument(
        "--pair", type=int, default=3000, help="clips for the gain of two workers"
    )
    chosen = arguments.parse_args()
    sizes = [FEW, *(size for size in SIZES if size <= chosen.most)]
    # The others read what it makes.
    jobs = [job for job in JOBS if job in chosen.only or job == "rendering"]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    folder = Path(tempfile.mkdtemp(prefix="texture-benchmark-"))
    try:
        print(
            "\n| job | clips | seconds | ms per further clip | of processors, ms | main process, MB | largest worker, MB |"
        )
        print("|---|---|---|---|---|---|---|")
        before: dict[str, tuple[int, Cost]] = {}
        for n_clips in sizes:
            prepare(folder, n_clips, SMALL)
            for job in jobs:
                cost = measured(folder, job, workers=2)
                row(job, n_clips, cost, before.get(job))
                before[job] = n_clips, cost
            shutil.rmtree(folder)

        # What a command takes to start is not what workers share.
        print(
            f"\n| job, from {FEW} to {chosen.pair:,} clips | one worker, s | two, s | gain | of processors: one, s | two, s |"
        )
        print("|---|---|---|---|---|---|")
        costs: dict[tuple[str, int, int], Cost] = {}
        for n_clips in (FEW, chosen.pair):
            prepare(folder, n_clips, USUAL)
            for job in jobs:
                for workers in (1, 2):
                    costs[job, n_clips, workers] = measured(folder, job, workers)
            shutil.rmtree(folder)
        for job in jobs:
            one, two = (
                costs[job, chosen.pair, workers].without(costs[job, FEW, workers])
                for workers in (1, 2)
            )
            both = f"{one.processor_seconds:.1f} | {two.processor_seconds:.1f}"
            print(
                f"| {job} | {one.seconds:.1f} | {two.seconds:.1f} | {one.seconds / two.seconds:.2f} | {both} |",
                flush=True,
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    print(f"\n| executor, two workers | start and end, s | ms per item, of {N_EMPTY:,} |")
    print("|---|---|---|")
    for name in ("local", "dask", "ray"):
        few = empty(name, 2)
        each = (empty(name, N_EMPTY) - few) / N_EMPTY
        print(f"| {name} | {few:.1f} | {1000 * each:.3f} |", flush=True)


def row(job: str, n_clips: int, cost: Cost, before: tuple[int, Cost] | None) -> None:
    further = ["", ""]
    if before:
        n_further, gone = n_clips - before[0], cost.without(before[1])
        further = [
            f"{1000 * each / n_further:.2f}" for each in (gone.seconds, gone.processor_seconds)
        ]
    print(
        f"| {job} | {n_clips:,} | {cost.seconds:.1f} | {' | '.join(further)} | {cost.main_mb:.0f} | {cost.worker_mb:.0f} |",
        flush=True,
    )


def prepare(folder: Path, n_clips: int, clip: Clip) -> None:
    """Write the configs, the recordings, and models that have learnt nothing. Labelling reads what
    rendering made."""
    rng, rate = np.random.default_rng(0), clip.sample_rate
    for index in range(n_clips // PER_RECORDING):
        write_wav(
            folder / "recordings" / f"{index}.wav",
            rng.uniform(-0.5, 0.5, round(PER_RECORDING * clip.seconds * rate)),
            rate,
        )
    common = {"sample_rate": rate, "seconds": clip.seconds}
    configs = {
        "synthetic.json": {
            "output": "synthetic",
            **common,
            "engine": {"type": "liquid", "controls": {name: [0.5, 0.75] for name in CONTROLS}},
            "distribution": {"type": "random_uniform", "n_clips": n_clips},
        },
        "real.json": {
            "output": "real",
            **common,
            "source": {"type": "folder", "path": "recordings"},
        },
        "adaptation.json": {
            "output": "adaptation",
            "synthetic": "synthetic",
            "real": "synthetic",
            "features": {"type": "mel", "sample_rate": rate, **FEATURES},
            "network": {"type": "cnn", "n_blocks": 2, "first_channels": 4},
            "adaptation": {"type": "none"},
        },
        "synthesis.json": {
            "output": "synthesis",
            "labelled": "synthetic",
            "balance": {"control": CONTROLS[0], "bins": 5},
            "export": {"sample_rate": min(rate, 16000), "source": "labelled"},
        },
    }
    for name, content in configs.items():
        (folder / name).write_text(json.dumps(content))
    for name in ("extractor", "adapted"):
        save_untrained(folder / "adaptation" / name, clip)


def save_untrained(folder: Path, clip: Clip) -> None:
    import torch

    from domain_adaptation.features.mel import Mel
    from domain_adaptation.models.model_folder import ModelSpec, new_model, save_model
    from domain_adaptation.networks.cnn import Cnn
    from synthetic_datasets.engines.liquid import Liquid

    features = Mel.model_validate({"sample_rate": clip.sample_rate, **FEATURES})
    torch.manual_seed(0)
    spec = ModelSpec(
        network=Cnn(n_blocks=2, first_channels=4),
        features=features,
        input_shape=tuple(
            features.compute(torch.randn(1, round(clip.sample_rate * clip.seconds))).shape[1:]
        ),
        controls=tuple(
            control.describe() for control in Liquid.available if control.name in CONTROLS
        ),
        sample_rate=clip.sample_rate,
        seconds=clip.seconds,
    )
    save_model(folder, new_model(spec))


def output_of(folder: Path, job: str) -> Path:
    place = {
        "rendering": "synthetic",
        "segmenting": "real",
        "labelling": "adaptation/labels",
        "export": "synthesis/mtcrnn",
    }
    return folder / place[job]


def measured(folder: Path, job: str, workers: int) -> Cost:
    """Run a job's command to its end, three times. -> the run that took the processors least: the
    others waited for more."""
    return min(
        (_measured(folder, job, workers) for _ in range(3)), key=lambda cost: cost.processor_seconds
    )


def _measured(folder: Path, job: str, workers: int) -> Cost:
    shutil.rmtree(output_of(folder, job), ignore_errors=True)
    package, command, config = JOBS[job]
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", package, command, str(folder / config), "--workers", str(workers)],
        stdout=subprocess.DEVNULL,
    )
    with Watch(process.pid) as watch:
        _, status, used = os.wait4(process.pid, 0)  # of all that it started and waited for, too
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{job}: the command failed")
    return Cost(time.monotonic() - started, used.ru_utime + used.ru_stime, *watch.most_mb())


class Watch:
    """The memory of a process and of all that it starts, looked at ten times a second while the
    block lasts."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._most_mb: dict[int, float] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look_on)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def most_mb(self) -> tuple[float, float]:
        """Return the most memory of the process, and of the largest of the others, in MB."""
        others = [megabytes for pid, megabytes in self._most_mb.items() if pid != self._pid]
        return self._most_mb.get(self._pid, 0.0), max(others, default=0.0)

    def _look_on(self) -> None:
        while not self._is_over.wait(0.1):
            for pid in (self._pid, *_descendants(self._pid)):
                try:
                    status = Path(f"/proc/{pid}/status").read_text()
                except OSError:
                    continue  # it has just ended
                for line in status.splitlines():
                    if line.startswith("VmHWM:"):
                        self._most_mb[pid] = int(line.split()[1]) / 1000


def _descendants(pid: int) -> Sequence[int]:
    children = _children(pid)
    return [*children, *(each for child in children for each in _descendants(child))]


def _children(pid: int) -> Sequence[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def empty(executor: str, n_items: int) -> float:
    """Return the seconds for items that do nothing."""
    with tempfile.TemporaryDirectory(prefix="texture-benchmark-") as folder:
        started = time.monotonic()
        items = {str(index): index for index in range(n_items)}
        run_jobs(
            items,
            abs,
            Path(folder) / "journal.jsonl",
            label="",
            executor=executor_named(executor),
            workers=2,
        )
        return time.monotonic() - started


if __name__ == "__main__":
    main()

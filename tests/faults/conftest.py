"""What fault tests share: every command on a tiny scale, run once from beginning to end; then run
again and hurt on the way.

The chance of each test comes from its name, the same at every run. `pytest tests/faults -m long`
injects as many faults as benchmarks/RESULTS.md tells of, 20 of each kind into every command that it
can befall, and prints the table that stands there.
"""

import hashlib
import json
import os
import random
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from texturelib.locks import LOCK
from texturelib.made import LIST

from ..warm import Running, Warm
from ..whole_way import WholeWay


@dataclass(frozen=True)
class Command:
    """A command on the tiny scale. makes: the folders that it writes, all in `results`."""

    package: str
    words: tuple[str, ...]
    makes: tuple[str, ...]
    has_workers: bool = False


STORES = ("adaptation/clips/synthetic", "adaptation/clips/real")
# Learnt from the simulated recordings, as any will do.
SCALE = (
    *("--set", "scale.recordings=results/recordings/recordings", "--set", "scale.seconds=0.5"),
    *("--set", "scale.epochs=3", "--set", "scale.steps_per_epoch=3"),
    *("--set", "scale.batch_size=4", "--set", "scale.held_out=0.2"),
    *("--set", "scale.slow_down=[0.7, 1.4]"),
)
COMMANDS = {
    "generate": Command(
        "synthetic_datasets",
        ("generate", "configs/synthetic.json"),
        ("synthetic",),
        has_workers=True,
    ),
    "simulate-recordings": Command(
        "synthetic_datasets",
        ("simulate-recordings", "configs/recordings.json"),
        ("recordings",),
        has_workers=True,
    ),
    "build": Command("real_datasets", ("build", "configs/real.json"), ("real",), has_workers=True),
    "train-extractor": Command(
        "domain_adaptation",
        ("train-extractor", "configs/adaptation.json"),
        ("adaptation/extractor", STORES[0]),
    ),
    "train-scale": Command(
        "domain_adaptation",
        ("train-scale", "configs/adaptation.json", *SCALE),
        ("adaptation/scale",),
    ),
    "train-classifier": Command(
        "domain_adaptation",
        ("train-classifier", "configs/adaptation.json"),
        ("adaptation/classifier", *STORES),
    ),
    "adapt": Command(
        "domain_adaptation", ("adapt", "configs/adaptation.json"), ("adaptation/adapted", *STORES)
    ),
    "label": Command(
        "domain_adaptation", ("label", "configs/adaptation.json"), ("adaptation/labels",)
    ),
    "analyse": Command(
        "conditioned_synthesis", ("analyse", "configs/synthesis.json"), ("synthesis/analysis",)
    ),
    "balance": Command(
        "conditioned_synthesis", ("balance", "configs/synthesis.json"), ("synthesis/balanced",)
    ),
    "export": Command(
        "conditioned_synthesis",
        ("export", "configs/synthesis.json"),
        ("synthesis/mtcrnn",),
        has_workers=True,
    ),
    "augment": Command(
        "conditioned_synthesis",
        ("augment", "configs/synthesis.json"),
        ("synthesis/augmented",),
        has_workers=True,
    ),
    "train mtcrnn": Command(
        "conditioned_synthesis", ("train", "configs/synthesis.json"), ("synthesis/synthesiser",)
    ),
    "train texenv": Command(
        "conditioned_synthesis", ("train", "configs/instrument.json"), ("instrument/synthesiser",)
    ),
    "linearise": Command(
        "conditioned_synthesis",
        ("linearise", "configs/instrument.json"),
        ("instrument/instrument",),
        has_workers=True,
    ),
    "generate examples": Command(
        "conditioned_synthesis", ("generate", "configs/instrument.json"), ("instrument/examples",)
    ),
    "evaluate": Command(
        "conditioned_synthesis",
        ("evaluate", "configs/instrument.json"),
        ("instrument/evaluation", "instrument/shuffled"),
        has_workers=True,
    ),
    "robustness": Command(
        "conditioned_synthesis",
        ("robustness", "configs/listening.json"),
        ("instrument/robustness",),
        has_workers=True,
    ),
    # These do not go on where they were: they begin again.
    "listening-test": Command(
        "conditioned_synthesis",
        ("listening-test", "configs/listening.json"),
        ("instrument/listening",),
    ),
    "import-mtcrnn": Command(
        "conditioned_synthesis",
        (
            "import-mtcrnn",
            "results/synthesis/mtcrnn",
            "--output",
            "results/imported",
            "--overwrite",
        ),
        ("imported",),
    ),
    "import-model": Command(
        "conditioned_synthesis",
        (
            "import-model",
            "model_12.pkl",
            "--output",
            "results/imported_model",
            "--control",
            "rate",
            "--overwrite",
        ),
        ("imported_model",),
    ),
}
# One of each kind: a job, a training, what writes a table, and what stage 4 trains.
KINDS = ("build", "train-extractor", "label", "train texenv")
# What `make test` tries: that each kind goes on, and one kind with every other fault. They all end
# in the same code, that of an output which is gone on with.
QUICK = {
    "test_killed": KINDS,
    "test_disk_full": ("label",),
    "test_permission_lost": ("train-extractor",),
    "test_power_cut": ("build",),
    "test_two_runs": ("train texenv",),
    "test_worker_dies": ("build",),
}
# A lost permission and a full disk are the same to a command, an error as it writes, and a cut of
# the power is a kill and more: of these, each kind is tried, and the other commands with -m long.
OF_EACH_KIND = ("test_permission_lost", "test_power_cut")
JOBS = tuple(name for name, command in COMMANDS.items() if command.has_workers)


# What may differ from run to run, though nothing was lost: TensorBoard's events, locks, words in
# checkpoints, measured speeds.
def _is_compared(path: Path) -> bool:
    """TensorBoard's events hold times, and each start adds a file; a run that is killed when all is
    done leaves the file of its lock, which nobody holds."""
    return "tensorboard" not in path.parts and path.name != LOCK


def _content(path: Path) -> bytes:
    """What is compared of a file: all of it, but for three kinds."""
    if path.name == LIST:  # that of a training names its events
        return b"".join(
            line for line in path.read_bytes().splitlines() if b"tensorboard/" not in line
        )
    # Number for number: its bytes also say which of its words were one object in memory.
    if path.suffix == ".ckpt":
        return repr(_numbers(path)).encode()
    content = path.read_bytes()
    if path.parent.name == "evaluation" and path.suffix in _SPEEDS:
        return re.sub(_SPEEDS[path.suffix], b"", content)
    return content


# How fast a synthesiser plays is measured anew in each evaluation, and stands last in the rows of
# its tables.
_SPEEDS = {
    ".csv": rb",[^,\n]*\n",
    ".md": rb"\|[^|\n]*\|\n",
    ".json": rb'"real_time_factor": .*\n',
    ".html": rb"<td[^>]*>[^<]*</td>\s*</tr>",
}


def _numbers(path: Path) -> Any:
    import torch

    def plain(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return (
                str(value.dtype),
                tuple(value.shape),
                hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest(),
            )
        if isinstance(value, dict):
            return [(key, plain(part)) for key, part in value.items()]
        return [plain(part) for part in value] if isinstance(value, list | tuple) else value

    return plain(torch.load(path, map_location="cpu", weights_only=True))


def contents(results: Path, folders: tuple[str, ...]) -> dict[str, tuple[int, str]]:
    """Return the size and a digest of each file that is compared, by name."""
    files = [
        path
        for name in folders
        for path in sorted((results / name).rglob("*"))
        if path.is_file() and _is_compared(path)
    ]
    compared = {path.relative_to(results).as_posix(): _content(path) for path in files}
    return {
        name: (len(content), hashlib.sha256(content).hexdigest())
        for name, content in compared.items()
    }


@dataclass
class Bench:
    """A place of its own for one test: all configs, and results as an uninterrupted run left them,
    linked."""

    folder: Path
    name: str
    command: Command
    wanted: dict[str, tuple[int, str]]
    seconds: float
    """That the uninterrupted run took."""
    warm: Warm
    of_all: dict[str, dict[str, tuple[int, str]]]
    """What is wanted of each command."""

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def output(self) -> Path:
        return self.results / self.command.makes[0]

    def clear(self) -> None:
        """Remove what the command makes."""
        for name in self.command.makes:
            place = self.results / name
            if place.is_symlink():
                for path in place.iterdir():
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            else:
                shutil.rmtree(place, ignore_errors=True)

    def start(self, *words: str, workers: int = 1, **options: Any) -> Running:
        """options: see warm_process.py."""
        more = ["--workers", str(workers)] if self.command.has_workers else []
        return self.warm.start(
            self.command.package, [*self.command.words, *more, *words], self.folder, **options
        )

    def start_other(self, name: str, *words: str) -> Running:
        """Another command, in the same place."""
        other = COMMANDS[name]
        return self.warm.start(other.package, [*other.words, *words], self.folder)

    def stop_when(self, run: Running, is_so: Callable[[], bool]) -> bool:
        """Hold a run as soon as something is so. -> whether it was, before its end."""
        while run.status() is None:
            if is_so():
                run.send(signal.SIGSTOP)
                return True
            time.sleep(0.001)
        return False

    def found(self) -> dict[str, tuple[int, str]]:
        return contents(self.results, self.command.makes)

    def remove(self, made: str) -> None:
        shutil.rmtree(self.results / made)

    def check_made(self, name: str) -> None:
        """What another command makes is there too."""
        assert contents(self.results, COMMANDS[name].makes) == self.of_all[name]

    def check_finished(self, run: Running) -> None:
        """Wait for its end; what lies there then is what an uninterrupted run makes."""
        assert run.wait() == 0, run.said
        assert "Traceback" not in run.said
        found = self.found()
        assert {name: found.get(name) for name in self.wanted} == self.wanted
        # Killed between the mark that it is finished and its last clearing up, a run leaves what
        # nobody needs any more.
        assert {
            name for name in found if Path(name).name not in ("journal.jsonl", "last.ckpt")
        } <= set(self.wanted)

    def check_refused(self, run: Running) -> str:
        """Wait for its end, which comes with one sentence. -> that sentence."""
        assert run.wait() == 1, run.said
        lines = [line for line in run.said.splitlines() if line.strip()]
        assert "Traceback" not in run.said, run.said
        assert "unexpected" not in lines[-1], run.said
        return lines[-1]

    def check_whole(self) -> None:
        """Every file that lies there and has its final name can be read to its end."""
        for path in (
            path
            for name in self.command.makes
            for path in (self.results / name).rglob("*")
            if path.is_file()
        ):
            check_file(path)


def check_file(path: Path) -> None:
    import pandas as pd
    import soundfile
    import torch
    from safetensors.torch import load_file

    if path.name.startswith("."):
        return
    if path.suffix == ".json" or path.suffix == ".params":
        json.loads(path.read_text())
    elif path.suffix == ".csv":
        pd.read_csv(path)
    elif path.suffix == ".wav":
        with soundfile.SoundFile(path) as file:
            assert len(file.read()) == file.frames > 0
        assert path.stat().st_size == 44 + 2 * file.frames
    elif path.suffix == ".ckpt":
        torch.load(path, weights_only=True)
    elif path.suffix == ".safetensors":
        load_file(path)


@dataclass(frozen=True)
class Base:
    folder: Path
    seconds: dict[str, float]
    wanted: dict[str, dict[str, tuple[int, str]]]


@pytest.fixture(scope="session")
def base(whole_way: WholeWay, warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Base:
    """The whole way, and the commands that are not on it, each run once from its beginning to its
    end."""
    import torch

    folder = tmp_path_factory.mktemp("base") / "base"
    shutil.copytree(whole_way.folder, folder, copy_function=os.link)
    torch.save(mtcrnn_weights(), folder / "model_12.pkl")
    settings = json.loads((folder / "configs" / "instrument.json").read_text())
    settings["listening"] = {"ratings": 1, "abx": 1, "pairs": 1}
    settings["robustness"] = {
        "representations": {"waveform": {"type": "waveform"}, "stft": {"type": "stft"}},
        "snr_db": [0, 40],
        "repeats": 2,
        "clips": 1,
    }
    (folder / "configs" / "listening.json").write_text(json.dumps(settings))
    on_the_way = {made for command in COMMANDS.values() for made in command.makes[1:]}
    ends = sorted((end, made) for made, end in whole_way.ends.items() if made not in on_the_way)
    took = {made: end - before for (before, _), (end, made) in pairwise(ends)}
    seconds, wanted = {}, {}
    for name, command in COMMANDS.items():
        if command.makes[0] in took:
            seconds[name] = took[command.makes[0]]
            continue
        began = time.monotonic()
        run = Bench(folder, name, command, {}, 0.0, warm, {}).start()
        assert run.wait() == 0, f"{name}: {run.said}"
        seconds[name] = time.monotonic() - began
    for name, command in COMMANDS.items():
        wanted[name] = contents(folder / "results", command.makes)
    return Base(folder, seconds, wanted)


def mtcrnn_weights() -> dict[str, Any]:
    from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn

    return Mtcrnn(hidden_size=64, n_layers=2).network(1, 16000).state_dict()  # type: ignore[union-attr]


@pytest.fixture
def bench_of(base: Base, warm: Warm, tmp_path: Path) -> Callable[[str], Bench]:
    """Return a bench for a command that has not run yet."""

    def make(name: str) -> Bench:
        folder = Path(shutil.copytree(base.folder, tmp_path / "bench", copy_function=os.link))
        bench = Bench(
            folder, name, COMMANDS[name], base.wanted[name], base.seconds[name], warm, base.wanted
        )
        bench.clear()
        return bench

    return make


@pytest.fixture
def bench_on(base: Base, warm: Warm) -> Callable[[Path, str], Bench]:
    """Return a bench on another disk: what the command makes lies there; what it reads is led to by
    links."""

    def make(disk: Path, name: str) -> Bench:
        folder = disk / "bench"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(base.folder / "configs", folder / "configs")
        (folder / "model_12.pkl").symlink_to(base.folder / "model_12.pkl")
        (folder / "results").mkdir()
        for made in {made for command in COMMANDS.values() for made in command.makes} - {
            *COMMANDS[name].makes
        }:
            (folder / "results" / made).parent.mkdir(exist_ok=True, parents=True)
            (folder / "results" / made).symlink_to(base.folder / "results" / made)
        return Bench(
            folder, name, COMMANDS[name], base.wanted[name], base.seconds[name], warm, base.wanted
        )

    return make


@pytest.fixture(
    params=[pytest.param(1, id="once"), pytest.param(20, id="often", marks=pytest.mark.long)]
)
def n_faults(request: pytest.FixtureRequest) -> int:
    """How many of a kind a test injects."""
    return request.param


@pytest.fixture
def draw(request: pytest.FixtureRequest) -> random.Random:
    """Chance of this test's own: the same at every run."""
    return random.Random(request.node.nodeid.rpartition("/")[2])


COUNTS: dict[tuple[str, str], Counter[str]] = {}


@pytest.fixture
def count() -> Callable[..., None]:
    """Note, for the table at the end: count(fault, command, injected=1, resumed=1, lost=0)."""

    def note(fault: str, command: str, **numbers: int) -> None:
        COUNTS.setdefault((fault, command), Counter()).update(numbers)

    return note


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, values in {"every_command": tuple(COMMANDS), "every_job": JOBS}.items():
        if name in metafunc.fixturenames:
            fault = metafunc.module.__name__.rpartition(".")[2]
            metafunc.parametrize(
                name, [pytest.param(value, marks=_marks(fault, value)) for value in values]
            )


def _marks(fault: str, command: str) -> list[pytest.MarkDecorator]:
    if command in QUICK[fault]:
        return []
    is_long = fault in OF_EACH_KIND and command not in KINDS
    return [pytest.mark.long if is_long else pytest.mark.slow]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not COUNTS:
        return
    terminalreporter.section("faults")
    terminalreporter.line(
        "| fault | command | injected | runs that went on | bytes lost |\n|---|---|--:|--:|--:|"
    )
    for (fault, command), numbers in COUNTS.items():
        row = " | ".join(str(numbers[key]) for key in ("injected", "resumed", "lost"))
        terminalreporter.line(f"| {fault} | {command} | {row} |")

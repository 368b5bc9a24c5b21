"""A sound's folder of configs to change, and pages, read."""

import importlib
import json
import shutil
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from texture_pipeline.stages import plan_jobs
from texturelib.command_line import _status_of
from texturelib.config import StageConfig

from ..whole_way import WholeWay

ROOT = Path(__file__).parents[2]

# The smallest sizes that work. So short a clip may be silent with fewer bubbles than avgRate 0.5
# makes (350 a second). With fewer epochs and steps, or a law that outweighs the truth, the rule may
# not keep the adaptation, and then labels before and after it are the same; with these they miss
# the laws by 0.064, and by 0.108 before.
SMALL = (
    "synthetic.seconds=0.25",
    "synthetic.distribution.n_clips=60",
    "synthetic.engine.controls.avgRate=[0.5, 0.75]",
    "recordings.seconds=0.5",
    "recordings.n_locations=3",
    "recordings.takes_per_location=7",
    "recordings.engine.controls.avgRate=[0.5, 0.75]",
    "real.seconds=0.25",
    # Enough clips for intervals.
    'adaptation.split={"train": 0.6, "validation": 0.25, "test": 0.15}',
    'adaptation.network={"type": "band_cnn", "channels": [8, 16], "n_hidden": 16}',
    'adaptation.extractor={"epochs": 10, "batch_size": 16, "learning_rate": 0.003}',
    "adaptation.classifier.epochs=1",
    'adaptation.adaptation={"type": "scaling_law", "epochs": 1, "steps_per_epoch": 40, "batch_size": 8}',
    'synthesis.synthesiser={"type": "mtcrnn", "hidden_size": 16, "seq_len": 100, "num_steps": 4, "checkpoint": 2}',
    'synthesis.generate={"values": 2, "seconds": 0.1, "sweep_seconds": 0.1}',
    'grains.augment={"n_clips": 20, "size": [0.8, 1.25], "density": [1, 2]}',
    'grains.synthesiser={"type": "grains", "seconds": 0.06, "overlap": 0.02}',
    'grains.linearise={"values": 3, "seeds": 1, "seconds": 0.25}',
    'grains.evaluate={"values": 3, "seeds": 2, "seconds": 0.25, "clips": 2}',
    'grains.generate={"values": 2, "seconds": 0.1, "sweep_seconds": 0.1}',
    'instrument.synthesiser={"type": "texenv", "seconds": 0.25, "n_bands": 8, "channels": 8, "num_steps": 4, "checkpoint": 2}',
    'instrument.linearise={"values": 3, "seeds": 1, "seconds": 0.25}',
    'instrument.evaluate={"values": 3, "seeds": 2, "seconds": 0.25, "clips": 2}',
    'instrument.generate={"values": 2, "seconds": 0.1, "sweep_seconds": 0.1}',
)

_HEADINGS = ("h2", "h3", "h4")


class Page(HTMLParser):
    """A page, read: links (src and href), ids, text without tags, and by the heading above them the
    tables' rows."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.tables: dict[str, list[list[str]]] = {}
        self._heading = ""
        self._words: list[str] = []
        self._open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.text = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        self.ids |= {value or "" for name, value in attrs if name == "id"}
        self._open.append(tag)
        if tag in _HEADINGS:
            self._heading = ""
        elif tag == "tr":
            self.tables.setdefault(self._heading, []).append([])
        elif tag in ("td", "th"):
            self.tables[self._heading][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        data = data.replace("\u00a0", " ")  # a space to whoever reads it
        place = self._open[-1] if self._open else ""
        if place in _HEADINGS:
            self._heading += data
        elif place in ("td", "th"):
            self.tables[self._heading][-1][-1] += data
        if "style" not in self._open:
            self._words.append(data)


class Over:
    """A command that has ended."""

    printed = None

    def __init__(self, status: int) -> None:
        self._status = status

    def status(self) -> int:
        return self._status

    def pass_on(self) -> None:
        """There is nothing left."""

    end = kill = pass_on


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run texture-pipeline and its commands in this process, which is quicker. -> exit status,
    stdout, stderr."""

    def call(package: str, arguments: Sequence[str]) -> int:
        app = importlib.import_module(f"{package}.cli").app
        return _status_of(lambda: app(arguments, standalone_mode=False))

    def run(*arguments: object) -> tuple[int, str, str]:
        # In place of processes, which the whole way and other tests do start.
        monkeypatch.setattr("texture_pipeline.run.start", lambda *given: Over(call(*given[:2])))
        monkeypatch.setattr("texture_pipeline.run.import_all", lambda _: None)
        monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
        monkeypatch.chdir(ROOT)
        status = call("texture_pipeline", [str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture(scope="session")
def read_page() -> Callable[[Path], Page]:
    """Read the page in a folder."""
    return lambda folder: Page(folder / "index.html")


@pytest.fixture(scope="session")
def small_stages(whole_way: WholeWay) -> Callable[[Path], dict[str, StageConfig]]:
    """Return the configs of the whole way with its results in a folder, by stage."""

    def stages(results: Path) -> dict[str, StageConfig]:
        jobs, _ = plan_jobs(whole_way.configs, (), None, results)
        return {job.stage.name: job.config for job in jobs}

    return stages


@pytest.fixture(scope="session")
def small_options() -> list[str]:
    """What a command line has to say for the smallest size."""
    return [word for change in SMALL for word in ("--set", change)]


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """tmp_path/configs/water: the demo's configs; they write into tmp_path/results/demo."""
    return Path(shutil.copytree(ROOT / "configs" / "demo", tmp_path / "configs" / "water"))


@pytest.fixture
def change(sound: Path) -> Callable[..., None]:
    """Change keys of one config of `sound`."""

    def change_config(stage: str, **keys: Any) -> None:
        path = sound / f"{stage}.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | keys))

    return change_config

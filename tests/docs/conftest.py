"""The pages of the documentation, taken apart; and a copy of the configs, small and with a person's
files, to run them in."""

import csv
import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile

from texturelib.command_line import _status_of

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(
    r"(?:^<!-- (?P<remark>[^\n]+) -->\n)?^(?P<indent> *)```(?P<info>[^\n]*)\n(?P<text>.*?)\n(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)


class Fence(NamedTuple):
    """A block of code on a page. remark: what a comment just above it says, "" for none. title: the
    file that it shows."""

    language: str
    title: str
    remark: str
    text: str

    @property
    def commands(self) -> list[str]:
        """Each command, on one line, without its comment."""
        lines = re.sub(r"\\\n *", "", self.text).splitlines() if self.language in ("sh", "") else []
        return [command for line in lines if (command := re.sub(r"(^|\s+)# .*", "", line).strip())]


@dataclass(frozen=True)
class Page:
    path: Path
    text: str
    fences: list[Fence]

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def prose(self) -> str:
        """Without its blocks of code."""
        return _FENCE.sub("", self.text)


def read_page(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    fences = []
    for match in _FENCE.finditer(text):
        language, _, rest = match["info"].partition(" ")
        title = re.search(r'title="([^"]+)"', rest)
        lines = [line.removeprefix(match["indent"]) for line in match["text"].split("\n")]
        fences.append(
            Fence(language, title[1] if title else "", match["remark"] or "", "\n".join(lines))
        )
    return Page(path, text, fences)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `page` runs for each page."""
    if "page" in metafunc.fixturenames:
        pages = [read_page(path) for path in PAGES]
        metafunc.parametrize("page", pages, ids=[page.name for page in pages])


@pytest.fixture(scope="session")
def pages() -> list[Page]:
    return [read_page(path) for path in PAGES]


@pytest.fixture(scope="session")
def results_page() -> Page:
    """benchmarks/RESULTS.md, which the documentation shows as it is."""
    return read_page(ROOT / "benchmarks" / "RESULTS.md")


# The smallest sizes that work, by stage; set where a config has the object that they belong to.
_SYNTHESIS = {
    "linearise": {"values": 3, "seeds": 1, "seconds": 0.25},
    "evaluate": {"values": 3, "seeds": 1, "seconds": 0.25, "clips": 2},
    "generate": {"values": 2, "seconds": 0.1, "sweep_seconds": 0.1},
}
TINY: dict[str, dict[str, Any]] = {
    "synthetic": {"seconds": 0.25, "distribution": {"n_clips": 60}},
    "recordings": {"seconds": 0.5, "n_locations": 3, "takes_per_location": 7},
    "real": {"seconds": 0.25},
    "adaptation": {
        "split": {"train": 0.6, "validation": 0.25, "test": 0.15},
        "extractor": {"epochs": 2, "batch_size": 16},
        "classifier": {"epochs": 1},
        "adaptation": {"epochs": 1, "batch_size": 8},
        "evaluation": {
            "seeds": [1],
            "methods": [{"type": "none"}, {"type": "adabn"}],
            "held_out_methods": ["none"],
        },
    },
    "synthesis": _SYNTHESIS,
    "grains": _SYNTHESIS | {"augment": {"n_clips": 40, "seconds": 0.25}},
    "texenv": _SYNTHESIS,
    "instrument": _SYNTHESIS | {"augment": {"n_clips": 40, "seconds": 0.25}},
}
TINY_BY_TYPE: dict[str, dict[str, Any]] = {
    # So short a clip may be silent with fewer bubbles.
    "liquid": {"controls": {"avgRate": [0.5, 0.75]}},
    "band_cnn": {"channels": [8, 16], "n_hidden": 16},
    "scaling_law": {"steps_per_epoch": 4},
    "mtcrnn": {"hidden_size": 16, "seq_len": 100, "num_steps": 4, "checkpoint": 2},
    "grains": {"seconds": 0.1, "overlap": 0.02},
    "texenv": {"seconds": 0.25, "n_bands": 8, "channels": 8, "num_steps": 4, "checkpoint": 2},
}


def _shrink(content: dict[str, Any], sizes: Mapping[str, Any]) -> None:
    for key, size in sizes.items():
        if not isinstance(size, dict):
            content[key] = size
        elif isinstance(content.get(key), dict):
            _shrink(content[key], size)
    for value in content.values():
        if isinstance(value, dict):
            _shrink(value, TINY_BY_TYPE.get(value.get("type", ""), {}))


def _replace(content: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Set these keys wherever they stand."""
    for key, value in content.items():
        if isinstance(value, dict):
            _replace(value, values)
        elif key in values:
            content[key] = values[key]


def shrink_configs(configs: Path) -> None:
    """Make whatever lies there small, also what a page has just copied or written."""
    for path in configs.glob("*/*.json"):
        content = json.loads(path.read_text())
        if path.parent.name != "schemas":
            _shrink(content, TINY[path.stem])
            if path.parent.name == "thesis_waterflow":
                # Its network makes nothing of shorter clips, and so few fill no bin with 77.
                _replace(content, {"seconds": 0.5, "clips_per_bin": 3})
            path.write_text(json.dumps(content, indent=2))


_PROGRAMS = {
    name.replace("_", "-"): name
    for name in (
        "texture_pipeline",
        "synthetic_datasets",
        "real_datasets",
        "domain_adaptation",
        "conditioned_synthesis",
    )
} | {"texture-doctor": "texture_pipeline.doctor"}


_OF_MAKE = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "OPTIONS", "RECORDINGS", "SOUND"}


def _in_this_process(package: str, words: Sequence[str]) -> int:
    app = importlib.import_module(f"{package}.cli").app
    return _status_of(lambda: app(list(words), standalone_mode=False))


@dataclass(frozen=True)
class _Ended:
    """A command of the pipeline that has run in this process."""

    of: int
    printed: None = None

    def status(self) -> int:
        return self.of

    def pass_on(self) -> None: ...
    def end(self) -> None: ...
    def send(self, number: int) -> None: ...
    def kill(self) -> None: ...


def _run_at_once(package: str, words: Sequence[str], *_: object) -> _Ended:
    return _Ended(_in_this_process(package, words))


@dataclass(frozen=True)
class Workspace:
    """A folder in which a page's commands run as they stand there.

    The toolkit's programs run in this process, which saves each the time that torch takes to load:
    that they start at all as programs is tested with each package. `make demo` and `make
    instrument` run as what make says it would run.
    """

    folder: Path

    def run(self, script: str) -> None:
        """Fails where the command does."""
        shrink_configs(self.folder / "configs")
        if script.startswith(("make demo", "make instrument")):
            [script] = [
                line
                for line in self._shell(f"make -n {script.removeprefix('make ')}").splitlines()
                if "pipeline" in line
            ]
        words = shlex.split(script)
        package = _PROGRAMS.get(words[0].removeprefix(".venv/bin/"))
        if package is None:
            self._shell(script)
            return
        with (
            pytest.MonkeyPatch.context() as patch,
            redirect_stdout(StringIO()) as out,
            redirect_stderr(StringIO()) as errors,
        ):
            patch.chdir(self.folder)
            # So few files are done before more processes have started.
            patch.setenv("LOKY_MAX_CPU_COUNT", "1")
            patch.setattr("texture_pipeline.run.start", _run_at_once)
            status = _in_this_process(package, words[1:])
        assert status == 0, f"{script}\n{out.getvalue()[-2000:]}\n{errors.getvalue()[-2000:]}"

    def _shell(self, script: str) -> str:
        """Return what it printed."""
        path = f"{self.folder / '.venv' / 'bin'}:{os.environ['PATH']}"
        # Where make started these tests, its flags and variables are not for the make of a page.
        own = {name: value for name, value in os.environ.items() if name not in _OF_MAKE}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=own | {"PATH": path, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("workspace")
    shutil.copytree(ROOT / "configs", folder / "configs")
    for name in ("Makefile", "constraints.txt", "pyproject.toml", "setup.sh"):
        shutil.copy2(ROOT / name, folder)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (folder / ".venv" / "ready").touch()  # so that make takes it for set up
    for place in ("path/to/recordings", "path/to/sounds", "data/stream"):
        _write_recordings(folder / place)
    shutil.copy(folder / "data/stream/stream_1.wav", folder / "some.wav")
    _write_fsd50k(folder / "data" / "FSD50K")
    _write_checkpoint(folder / "model_100000.pkl")
    yield Workspace(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def demo(workspace: Workspace) -> Workspace:
    """The same after `make demo`, which most pages build on."""
    workspace.run("make demo")
    return workspace


def _drops(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Return a sound, [samples] at 44.1 kHz: short dying tones over a little noise."""
    samples = 0.01 * rng.standard_normal(round(seconds * 44100))
    time = np.arange(2000) / 44100
    for start in rng.integers(0, len(samples) - len(time), round(60 * seconds)):
        samples[start : start + len(time)] += (
            0.2 * np.exp(-200 * time) * np.sin(2 * np.pi * rng.uniform(500, 4000) * time)
        )
    return 0.5 * samples / np.abs(samples).max()


def _write_recordings(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(1, 5):
        soundfile.write(
            folder / f"stream_{number}.wav", _drops(np.random.default_rng(number), 3.0), 44100
        )


def _write_fsd50k(root: Path) -> None:
    """Ten sounds in FSD50K's layout."""

    def write(name: str, rows: list[list[str]]) -> None:
        path = root / "FSD50K.ground_truth" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(rows)

    labels = ["Stream,Water", "Stream,Water", "Stream,Water,Rain", "Gurgling,Stream,Water", "Ocean"]
    mids = {name: f"/m/{name.lower()}" for name in ("Stream", "Water", "Rain", "Gurgling", "Ocean")}
    write("vocabulary.csv", [[str(number), *pair] for number, pair in enumerate(mids.items())])
    for first, part in ((100, "dev"), (200, "eval")):
        names = [str(first + number) for number in range(len(labels))]
        both = [
            (name, words, ",".join(mids[word] for word in words.split(",")))
            for name, words in zip(names, labels, strict=True)
        ]
        if part == "dev":
            write(
                "dev.csv",
                [["fname", "labels", "mids", "split"], *([*row, "train"] for row in both)],
            )
        else:
            write("eval.csv", [["fname", "labels", "mids"], *(list(row) for row in both)])
        facts = {
            "title": "A stream",
            "description": "",
            "tags": [],
            "license": "CC0",
            "uploader": "somebody",
        }
        (root / "FSD50K.metadata").mkdir(exist_ok=True)
        (root / "FSD50K.metadata" / f"{part}_clips_info_FSD50K.json").write_text(
            json.dumps(dict.fromkeys(names, facts))
        )
        (root / f"FSD50K.{part}_audio").mkdir()
        for name in names:
            soundfile.write(
                root / f"FSD50K.{part}_audio" / f"{name}.wav",
                _drops(np.random.default_rng(int(name)), 6.0),
                44100,
            )


def _write_checkpoint(path: Path) -> None:
    """A network as MTCRNN saves it, of one control."""
    import torch
    from torch import nn

    parts = {
        "i2d": nn.Linear(2, 8),
        "gru": nn.GRU(8, 8, 1, batch_first=True),
        "h2o": nn.Linear(8, 256),
    }
    torch.save(nn.ModuleDict(parts).state_dict(), path)

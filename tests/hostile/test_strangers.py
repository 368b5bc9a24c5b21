"""Files, links, locks and outputs of others, anywhere among ours: whatever is run, each of them is
at the end where it was."""

import importlib
import json
import os
import shutil
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sources import write_sources

from texturelib.command_line import _status_of
from texturelib.files import write_text
from texturelib.made import names_in
from texturelib.outputs import check_output

ENGINE = {"type": "wind", "controls": {"speed": [0.2, 0.8]}}
FORM = {"sample_rate": 8000, "seconds": 0.1}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all that the commands read."""
    folder = tmp_path_factory.mktemp("sources")
    write_sources(folder, "takes/rain.wav", 0.3125)
    configs: dict[str, Any] = {
        "synthetic": {
            "output": "out/synthetic",
            **FORM,
            "engine": ENGINE,
            "distribution": {"type": "sobol", "n_clips": 3},
        },
        "recordings": {
            "output": "out/recordings",
            **FORM,
            "engine": ENGINE,
            "n_locations": 1,
            "takes_per_location": 2,
        },
        "real": {"output": "out/real", "source": {"type": "folder", "path": "takes"}, **FORM},
        "synthesis": {
            "output": "out",
            "labelled": "labels",
            "synthesiser": {"type": "mtcrnn"},
            "balance": {"bins": 2},
        },
    }
    for name, content in configs.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


# Of each, two ways to be asked, so that the second has something to replace.
COMMANDS = [
    ("synthetic_datasets", "generate synthetic.json --workers 1 --set seed={}"),
    ("synthetic_datasets", "simulate-recordings recordings.json --workers 1 --set seed={}"),
    ("synthetic_datasets", "plan synthetic.json --output plan.csv --set seed={}"),
    ("real_datasets", "build real.json --workers 1 --set fade_ms={}"),
    ("real_datasets", "plan real.json --output plan.csv --set fade_ms={}"),
    ("conditioned_synthesis", "analyse synthesis.json --set analyse.bins={}"),
    ("conditioned_synthesis", "balance synthesis.json --set balance.seed={}"),
    (
        "conditioned_synthesis",
        "export synthesis.json --workers 1 --set export.source=labelled --set export.max_rejected=0.{}",
    ),
    ("conditioned_synthesis", "import-mtcrnn sounds --output out/imported"),
    (
        "conditioned_synthesis",
        "import-model model.pkl --output out/model --control rate --sample-rate {}000",
    ),
    ("conditioned_synthesis", "generate --model model --output sound.wav --seconds 0.1 --seed {}"),
]


class Stranger(NamedTuple):
    """Something of the user's. place: where it is put, if nothing is there. kind: what it is."""

    place: str
    kind: str

    def put(self, folder: Path) -> Path | None:
        """Return the path, None where something is there already, or a run may have planned to
        write there."""
        path = folder / self.place
        if any(
            parent.is_symlink() or parent.is_file() for parent in path.parents
        ) or os.path.lexists(path):
            return None
        for parent in path.parents:
            if path.relative_to(parent).as_posix() in names_in(parent):
                return None
        path.parent.mkdir(parents=True, exist_ok=True)
        {
            "file": self._file,
            "link": self._link,
            "linked folder": self._linked_folder,
            "output": self._output,
        }[self.kind](path)
        return path

    def _file(self, path: Path) -> None:
        path.write_text("mine")

    def _link(self, path: Path) -> None:
        path.symlink_to(path.parents[len(Path(self.place).parts) - 1] / "mine" / "notes.txt")

    def _linked_folder(self, path: Path) -> None:
        path.symlink_to(path.parents[len(Path(self.place).parts) - 1] / "mine")

    def _output(self, path: Path) -> None:
        (path / "audio").mkdir(parents=True)
        run = {
            "command": "texture make",
            "settings": {},
            "inputs": {},
            "fingerprint": "abc",
            "finished": True,
        }
        (path / "run.json").write_text(json.dumps(run))
        (path / "audio" / "1.wav").write_text("mine")


FOLDERS = [
    "out/synthetic",
    "out/recordings",
    "out/real",
    "out/analysis",
    "out/balanced",
    "out/mtcrnn",
    "out/imported",
    "out/model",
]
NAMES = [
    *(
        "run.json",
        "config.json",
        "made.jsonl",
        "journal.jsonl",
        ".lock",
        ".part-7-run.json",
        ".part-x.docx",
        ".part-7-notes.md",
    ),
    *(
        "metadata.csv",
        "dataset.json",
        "README.md",
        "model.safetensors",
        "index.html",
        "NOTES.txt",
        "audio",
        "recordings",
    ),
    *(
        "audio/1.wav",
        "audio/mine.wav",
        "audio/water_1.wav",
        "audio/rain_1.wav",
        "recordings/mine.wav",
        "1.params",
        "deep/er/x.wav",
    ),
]
PLACES = [f"{folder}/{name}" for folder in FOLDERS for name in NAMES]
BESIDE = [
    "plan.csv",
    "plan.png",
    "sound.wav",
    "sound.params",
    "sound.png",
    "out/.part-lock-imported",
    "out/.part-new-imported",
]
STRANGERS = st.builds(
    Stranger,
    st.sampled_from([*PLACES, *BESIDE, *FOLDERS]),
    st.sampled_from(["file", "file", "link", "linked folder", "output"]),
)


def seen(path: Path) -> Any:
    """Return what a stranger is: of a file its bytes, of a link where it leads, of a folder both of
    all that is in it."""
    if path.is_symlink():
        return path.readlink()
    if path.is_dir():
        return {
            name.relative_to(path).as_posix(): seen(name)
            for name in path.rglob("*")
            if not name.is_dir()
        }
    return path.read_bytes() if path.exists() else "gone"


def run(package: str, words: str) -> tuple[int, str]:
    """Return the exit status, and what was said on stderr."""
    app = importlib.import_module(f"{package}.cli").app
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()) as said:
        status = _status_of(lambda: app(words.split(), standalone_mode=False))
    return status, said.getvalue()


STEPS = st.tuples(
    st.lists(STRANGERS, max_size=6), st.sampled_from(COMMANDS), st.integers(1, 2), st.booleans()
)


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=list(HealthCheck), derandomize=True)
@given(steps=st.lists(STEPS, min_size=2, max_size=4))
def test_whatever_is_run_every_strangers_byte_is_where_it_was(
    sources: Path, steps: list[Any]
) -> None:
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name) / "project"
        shutil.copytree(sources, place)
        (place / "mine").mkdir()
        (place / "mine" / "notes.txt").write_text("mine")
        strangers: dict[Path, Any] = {place / "mine": seen(place / "mine")}
        os.chdir(place)
        try:
            for put, (package, words), number, is_forced in steps:
                paths = [path for stranger in put if (path := stranger.put(place))]
                strangers |= {path: seen(path) for path in paths}
                # What the user names, with what is written beside it, is to be replaced.
                if is_forced:
                    named = {
                        place / name
                        for name in BESIDE
                        if Path(name).stem in words.replace(".", " ").split()
                    }
                    strangers = {
                        path: what for path, what in strangers.items() if path not in named
                    }
                status, said = run(package, words.format(number) + " --overwrite" * is_forced)
                assert status in (0, 1, 2), said
                assert "unexpected" not in said
                assert {path: seen(path) for path in strangers} == strangers, (words, said)
        finally:
            os.chdir(before)


LABELS = st.sampled_from(
    [
        ".lock",
        "a",
        "b/c",
        "b",
        "b/d/e",
        "journal.jsonl",
        ".part-3-a",
        ".part-x",
        "run.json",
        "z/run.json",
    ]
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    rounds=st.lists(
        st.tuples(
            st.lists(st.tuples(LABELS, st.sampled_from(["file", "link", "linked folder"]))),
            st.sets(LABELS),
            st.integers(0, 1),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_an_output_writes_every_strangers_byte_is_where_it_was(rounds: list[Any]) -> None:
    from texturelib.config import StageConfig
    from texturelib.errors import TextureError

    class Example(StageConfig):
        seed: int = 0

    with tempfile.TemporaryDirectory() as name, redirect_stderr(StringIO()):
        place = Path(name)
        (place / "mine").mkdir()
        (place / "mine" / "notes.txt").write_text("mine")
        (place / "mine" / "c").write_text("mine")
        strangers = {place / "mine": seen(place / "mine")}
        for put, written, seed in rounds:
            for label, kind in put:
                if path := Stranger(f"out/{label}", kind).put(place):
                    strangers[path] = seen(path)
            for path in sorted(written):
                try:
                    output = check_output(
                        Example(output=place / "out", seed=seed), "texture make", overwrite=True
                    )
                    if not output.is_done:
                        output.begin()
                        write_text(place / "out" / path, "made")
                        output.finish()
                except (TextureError, OSError):
                    pass
                assert {path: seen(path) for path in strangers} == strangers

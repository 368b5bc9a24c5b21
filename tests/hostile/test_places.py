"""What a path may lead to, and what it may be called: pipes that never end, devices, other people's
folders."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sources import CONTROLS, write_sources


@contextmanager
def no_longer_than(seconds: int) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise AssertionError(f"it hangs: {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with one of everything that is read: configs, a labelled set, sounds,
    recordings, a model, checkpoints."""
    write_sources(tmp_path, "recordings/rain.wav", 2.5)
    (tmp_path / "tags.csv").write_text("file_name,tags\nrain.wav,rain\n")
    (tmp_path / "ontology.json").write_text("[]")
    np.save(tmp_path / "curve.npy", np.linspace(0, 1, 5))
    synthesis = {
        "output": "out",
        "labelled": "labels",
        "synthesiser": {"type": "mtcrnn"},
        "train": {"sounds": "sounds"},
    }
    (tmp_path / "synthesis.json").write_text(json.dumps(synthesis | {"balance": {"bins": 2}}))
    real = {
        "output": "real",
        "source": {"type": "folder", "path": "recordings", "tags_from": "tags.csv"},
        "seconds": 0.1,
    }
    tags = {"policy": "at_least_one", "wanted": ["rain"], "ontology": "ontology.json"}
    (tmp_path / "real.json").write_text(json.dumps(real | {"tags": tags, "sample_rate": 8000}))
    return tmp_path


SYNTHESIS = "conditioned_synthesis"
READ = {
    "synthesis.json": (SYNTHESIS, "analyse synthesis.json"),
    "real.json": ("real_datasets", "plan real.json"),
    "tags.csv": ("real_datasets", "build real.json --workers 1"),
    "ontology.json": ("real_datasets", "build real.json --workers 1"),
    "labels/metadata.csv": (SYNTHESIS, "analyse synthesis.json"),
    "labels/dataset.json": (SYNTHESIS, "analyse synthesis.json"),
    "labels/audio/3.wav": (
        SYNTHESIS,
        "export synthesis.json --set export.source=labelled --workers 1",
    ),
    "sounds/a.params": (SYNTHESIS, "train synthesis.json"),
    "sounds/b.params": (SYNTHESIS, "import-mtcrnn sounds --output set"),
    "sounds/a.wav": (SYNTHESIS, "train synthesis.json"),
    "sounds/b.wav": (SYNTHESIS, "import-mtcrnn sounds --output set"),
    "curve.npy": (SYNTHESIS, "generate --model model --output x.wav --control curve.npy"),
    "recordings/rain.wav": (
        SYNTHESIS,
        "generate --model model --output x.wav --prime recordings/rain.wav",
    ),
    "model/model.safetensors": (SYNTHESIS, "generate --model model --output x.wav"),
    "model.pkl": (SYNTHESIS, "import-model model.pkl --output imported"),
}
"""What is read, by a command that reads it."""


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def immense(path: Path) -> None:
    """A file of a tebibyte that takes no room on the disk."""
    with path.open("wb") as file:
        try:
            file.truncate(2**40)
        except OSError:
            pytest.skip("needs a file system that may hold a file of a tebibyte")


@pytest.mark.parametrize(
    "becomes", [pipe, folder, to_itself, immense], ids=lambda function: function.__name__
)
@pytest.mark.parametrize("name", READ)
def test_whatever_stands_where_a_file_should_be_is_one_sentence_that_names_it(
    place: Path,
    run_command: Callable,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    becomes: Callable[[Path], None],
) -> None:
    if becomes is immense and name.endswith((".wav", ".safetensors", ".pkl")):
        pytest.skip("its headers say how much there is to read")
    monkeypatch.chdir(place)
    package, words = READ[name]
    app = __import__(f"{package}.cli", fromlist=["app"]).app
    Path(name).unlink()
    becomes(Path(name))
    before = everything_in(place)
    with no_longer_than(60):
        done = run_command(app, *words.split())
    assert done.status in (1, 2), done
    assert "it hangs" not in done.err
    assert done.err.count("\n") == 1, done.err
    assert "unexpected" not in done.err
    assert Path(name).name in done.err
    after = everything_in(place)
    assert {path for path in after - before if path.parts[0] != "out"} == set(), (
        "nothing is written of what cannot be read"
    )


def everything_in(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


# Out of the folder --------------------------------------------------------------------------------------------------------------


OUTSIDE = [
    "../outside.wav",
    "/tmp/texture_outside.wav",
    "audio/../../outside.wav",
    "..",
    "audio/1.wav/../../../outside.wav",
    "a\0b.wav",
]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("command", ["analyse", "balance", "export"])
def test_a_table_leads_no_command_out_of_its_folder(
    place: Path, run_command: Callable, monkeypatch: pytest.MonkeyPatch, command: str, name: str
) -> None:
    from conditioned_synthesis.cli import app

    monkeypatch.chdir(place)
    shutil.copy("labels/audio/1.wav", "outside.wav")
    table = Path("labels/metadata.csv")
    table.write_text(table.read_text().replace("audio/2.wav", name))
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    done = run_command(app, command, "synthesis.json", "--set", "export.source=labelled")
    assert done.status == 1, done
    assert "metadata.csv: row 3: " in done.err
    assert done.err.count("\n") == 1
    written = {
        path
        for path in place.rglob("*")
        if path.is_file() and path.read_bytes() != before.get(path)
    }
    assert all(path.is_relative_to(place / "out") for path in written)
    assert not Path("/tmp/texture_outside.wav").exists()


def test_links_of_somebody_else_are_left_and_named_and_nothing_is_written_through_them(
    place: Path, run_command: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    from conditioned_synthesis.cli import app

    monkeypatch.chdir(place)
    assert run_command(app, "balance", "synthesis.json").status == 0
    theirs = place / "theirs"
    theirs.mkdir()
    (theirs / "letter.txt").write_text("mine")
    (place / "out/balanced/theirs").symlink_to(theirs)
    (place / "out/balanced/balance.json").unlink()
    (place / "out/balanced/balance.json").symlink_to(theirs / "letter.txt")
    done = run_command(app, "balance", "synthesis.json", "--overwrite", "--set", "balance.bins=3")
    assert done.status == 1, done
    assert "left alone, not made by this toolkit: balance.json, theirs" in done.err
    assert (
        "out/balanced/balance.json: is a link or no plain file, so nothing is written there"
        in done.err
    )
    assert (theirs / "letter.txt").read_text() == "mine"
    assert (place / "out/balanced/theirs").is_symlink()


def test_a_folder_of_temporary_files_with_strange_names_is_no_reason_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder for temporary files everybody may write."""
    import tempfile

    from synthetic_datasets.engines._osc_channel import OscChannel
    from synthetic_datasets.engines._session import Session, SessionSettings

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "letter.txt").touch()
    for pid in ("99999999999999999999", "-1", "0", "x", "²", "٣"):
        (tmp_path / f"texture-patch-{pid}-x").mkdir()
    # Of a process that there is none of.
    (tmp_path / "texture-patch-4194303-link").symlink_to(theirs)
    with (
        OscChannel(9, 0, False) as channel,
        Session("the patch", channel, SessionSettings(8000, 0.1, False, 0.1, 0)),
    ):
        pass
    assert (theirs / "letter.txt").exists()


# Names --------------------------------------------------------------------------------------------------------------------------


STRANGE = [
    "{x}",
    "{",
    "$_{$",
    "<script>alert(1)</script>",
    "a b",
    "水",
    "x" * 200,
    "%s",
    "=1+1",
    "../x",
    "\\frac",
    "two\nlines",
]


@pytest.mark.pictures
@pytest.mark.parametrize("name", STRANGE)
def test_a_control_may_be_called_anything(
    place: Path,
    run_command: Callable,
    monkeypatch: pytest.MonkeyPatch,
    recwarn: pytest.WarningsRecorder,
    name: str,
) -> None:
    import warnings

    from conditioned_synthesis.cli import app

    monkeypatch.chdir(place)
    # Of the font that pictures are drawn with.
    warnings.filterwarnings("ignore", "Glyph .* missing from")
    for path in (Path("labels/dataset.json"), Path("labels/metadata.csv")):
        quoted = json.dumps(name) if path.suffix == ".json" else '"' + name + '"'
        path.write_text(
            path.read_text()
            .replace('"rate"', quoted)
            .replace("file_name,rate", f"file_name,{quoted}")
        )
    for command in ("analyse", "balance", "export"):
        done = run_command(app, command, "synthesis.json")
        assert (done.status, done.err) == (0, ""), (command, done)
    page = Path("out/analysis/index.html").read_text()
    assert "<script" not in page
    assert not Path("x.params").exists()
    table = Path("labels/metadata.csv")
    table.write_text(table.read_text().replace("0.9\n", "loud\n"))
    done = run_command(app, "analyse", "synthesis.json", "--overwrite")
    assert done.status == 1
    assert "is loud, not a finite number" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("name", [b"no utf-8 \xe4.wav", b"\x1b[31mred.wav", b"two\nlines.wav"])
def test_a_sound_to_label_may_be_called_anything(
    place: Path, run_command: Callable, tmp_path: Path, name: bytes
) -> None:
    from domain_adaptation.cli import app
    from domain_adaptation.features.mel import Mel
    from domain_adaptation.models.model_folder import ModelSpec, new_model, save_model
    from domain_adaptation.networks.cnn import Cnn

    (place / "reader").mkdir()
    network = Cnn(n_blocks=1, first_channels=2)
    spec = ModelSpec(
        network=network,
        features=Mel(sample_rate=8000, n_mels=8),
        input_shape=(1, 8, 5),
        controls=(CONTROLS[0],),
        sample_rate=8000,
        seconds=0.1,
    )
    save_model(place / "reader", new_model(spec))
    soundfile.write(place / "recordings" / "a.wav", np.full(800, 0.1), 8000)
    (place / "recordings" / "a.wav").rename(place / "recordings" / os.fsdecode(name))
    words = [
        "label",
        "--model",
        place / "reader",
        "--audio",
        place / "recordings",
        "--output",
        place / "labels.csv",
    ]
    done = run_command(app, *words)
    assert done.status == 0, done
    assert "unexpected" not in done.err
    assert "rain.wav" in (place / "labels.csv").read_text()


@pytest.mark.pictures
@pytest.mark.parametrize("name", ["$_{$", "$\\frac$", "$$", "^", "水"])
def test_a_picture_shows_any_name(tmp_path: Path, name: str) -> None:
    import warnings

    from domain_adaptation.evaluation.plots import distribution_plot, source_plot, truth_plot

    warnings.filterwarnings("ignore", "Glyph .* missing from")
    values = np.linspace(0, 1, 5)[:, None]
    truth_plot(tmp_path / "truth.png", values, values, {name: {"mae": 0.1, "r2": 0.5}})
    distribution_plot(tmp_path / "labels.png", values, values, [name])
    source_plot(tmp_path / "sources.png", values, np.array([name] * 5), [name])
    assert len(list(tmp_path.iterdir())) == 3


def test_a_sound_may_be_written_to_a_name_that_is_not_utf_8(place: Path) -> None:
    from conditioned_synthesis.instrument.generate import write_sound
    from conditioned_synthesis.instrument.instrument import load_instrument

    path = place / os.fsdecode(b"\xe4.wav")
    write_sound(path, np.full(800, 0.1), load_instrument(place / "model"), {})
    assert json.loads(path.with_suffix(".params").read_text())["meta"]["filename"] == path.name

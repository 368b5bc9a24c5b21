"""What says finished is on the disk, and what a journal has is looked at before it is believed."""

import json
import os
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from texturelib import durable, outputs
from texturelib.config import StageConfig
from texturelib.dataset import write_dataset
from texturelib.errors import TextureError
from texturelib.executors import Pool
from texturelib.executors._futures import _sync_workers
from texturelib.files import link_or_copy, whole_file, write_json
from texturelib.jobs import run_jobs
from texturelib.made import begin_list, begin_list_anew, names_in
from texturelib.outputs import check_output
from texturelib.written import Piece, record_part, recorded

Steps = list[tuple[str, str]]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Steps:
    """What reaches the disk, and what takes another's place, in order; paths relative to
    `tmp_path`."""
    found: Steps = []

    def noted(what: str, path: Path) -> None:
        found.append((what, path.relative_to(tmp_path).as_posix()))

    fsync, syncfs, replace = os.fsync, durable.sync_folder, Path.replace

    def synced(descriptor: int) -> None:
        noted("sync", Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    def synced_all(folder: Path) -> None:
        noted("sync all", folder)
        syncfs(folder)

    def replaced(self: Path, target: Path) -> Path:
        noted("replace", Path(target))
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(outputs, "sync_folder", synced_all)
    monkeypatch.setattr(Path, "replace", replaced)
    return found


def part_of(name: str) -> str:
    return f".part-{os.getpid()}-{name}"


def test_a_durable_file_is_on_the_disk_before_it_takes_its_place_and_its_name_is_after(
    tmp_path: Path, steps: Steps
) -> None:
    with whole_file(tmp_path / "a.json", is_durable=True) as part:
        part.write_text("content")

    assert steps == [("sync", part_of("a.json")), ("replace", "a.json"), ("sync", ".")]


def test_a_list_of_what_is_ours_is_on_the_disk_before_a_durable_file_that_it_names(
    tmp_path: Path, steps: Steps
) -> None:
    begin_list(tmp_path)
    assert steps == [("sync", part_of("made.jsonl")), ("replace", "made.jsonl"), ("sync", ".")]
    del steps[:]

    write_json(tmp_path / "a.json", [], is_durable=True)

    assert steps == [
        ("sync", "made.jsonl"),
        ("sync", part_of("a.json")),
        ("replace", "a.json"),
        ("sync", "."),
    ]


def test_a_folder_is_marked_as_finished_when_all_in_it_is_on_the_disk_and_only_then_is_its_journal_gone(
    tmp_path: Path, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = check_output(StageConfig(output=tmp_path / "out"), "make")
    output.begin()
    write_json(output.folder / "table.json", [])
    write_json(output.folder / "journal.jsonl", [])
    monkeypatch.setattr(outputs, "remove_ours", lambda path: steps.append(("remove", path.name)))
    del steps[:]

    output.finish(discard=("journal.jsonl",))

    part = f"out/{part_of('run.json')}"
    marked = [
        ("sync", "out/made.jsonl"),
        ("sync", part),
        ("replace", "out/run.json"),
        ("sync", "out"),
    ]
    listed = [
        ("sync", f"out/{part_of('made.jsonl')}"),
        ("replace", "out/made.jsonl"),
        ("sync", "out"),
    ]
    assert steps == [
        *listed,
        ("sync all", "out"),
        *marked,
        ("remove", "journal.jsonl"),
        ("sync", "out"),
    ]


def test_a_second_name_whose_line_in_the_list_was_lost_is_ours_all_the_same(tmp_path: Path) -> None:
    output = check_output(StageConfig(output=tmp_path / "out"), "make")
    output.begin()
    (tmp_path / "clip.wav").write_text("sound")
    link_or_copy(tmp_path / "clip.wav", output.folder / "clip.wav")
    begin_list_anew(output.folder, ["run.json", "config.json"])

    link_or_copy(tmp_path / "clip.wav", output.folder / "clip.wav")

    assert "clip.wav" in names_in(output.folder)


def test_an_empty_table_of_what_was_rejected_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "rejected.csv").touch()

    write_dataset(
        tmp_path, pd.DataFrame({"file_name": ["a.wav"]}), sample_rate=8000, seconds=1.0, controls=[]
    )

    assert (tmp_path / "rejected.csv").read_text() == "file,reason\n"


def test_a_folder_that_cannot_be_synced_is_not_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = check_output(StageConfig(output=tmp_path / "out"), "make")
    output.begin()

    def fail(folder: Path) -> None:
        raise OSError(5, "Input/output error", str(folder))

    monkeypatch.setattr(outputs, "sync_folder", fail)

    with pytest.raises(OSError, match="Input/output error"):
        output.finish()
    assert not json.loads((tmp_path / "out" / "run.json").read_text())["finished"]


def test_where_the_system_cannot_sync_all_at_once_every_file_and_folder_is(
    tmp_path: Path, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "_syncfs", lambda: None)
    for name in ("a.wav", "audio/b.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "link").symlink_to("/dev/null")

    durable.sync_folder(tmp_path)

    assert sorted(steps) == [
        ("sync", "."),
        ("sync", "a.wav"),
        ("sync", "audio"),
        ("sync", "audio/b.wav"),
    ]


def test_a_sync_of_all_says_which_disk_could_not_take_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone"):
        durable.sync_folder(tmp_path / "gone")


@pytest.fixture
def made_by(tmp_path: Path) -> Callable[..., list[str]]:
    """Run a job of four items, and return those that it had to do. Each writes two files, and "0"
    also a part of one that all share."""

    def run() -> list[str]:
        done: list[str] = []

        def work(name: str) -> str:
            done.append(name)
            for kind in ("wav", "params"):
                with whole_file(tmp_path / kind / f"{name}.{kind}") as part:
                    part.write_bytes(f"{kind} of {name}".encode() * 1000)
            if name == "0":
                with (tmp_path / "store").open("wb") as file:
                    file.write(b"12345678")
                record_part(tmp_path / "store", 2, b"3456")
            return name

        items = {name: name for name in "0123"}
        assert run_jobs(items, work, tmp_path / "journal.jsonl", label="x", workers=1) == items
        return done

    assert run() == [*"0123"]
    return run


def damage(what: str, path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    if what == "emptied":
        path.touch()
    elif what == "cut":
        path.write_bytes(content[:-1])
    elif what == "longer":
        path.write_bytes(content + b"\0")
    elif what == "zeros in the middle":
        path.write_bytes(content[:4000] + bytes(1000) + content[5000:])
    elif what == "a link":
        path.with_suffix(".kept").write_bytes(content)
        path.symlink_to(path.with_suffix(".kept"))
    elif what == "a pipe":
        os.mkfifo(path)


@pytest.mark.parametrize(
    "what", ["emptied", "cut", "longer", "zeros in the middle", "gone", "a link", "a pipe"]
)
def test_a_finished_item_whose_file_is_damaged_is_made_again_and_no_other(
    made_by: Callable[..., list[str]], tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (tmp_path / "params" / "2.params").read_bytes()
    damage(what, tmp_path / "params" / "2.params")

    assert made_by() == ["2"]

    assert (tmp_path / "params" / "2.params").read_bytes() == before
    assert (
        "note: 2 was made before, but its files are gone or damaged: made again"
        in capsys.readouterr().err
    )
    assert made_by() == []


def test_a_finished_item_whose_part_of_a_file_has_changed_is_made_again(
    made_by: Callable[..., list[str]], tmp_path: Path
) -> None:
    (tmp_path / "store").write_bytes(b"12345678and more")
    assert made_by() == []
    (tmp_path / "store").write_bytes(b"12305678")
    assert made_by() == ["0"]
    (tmp_path / "store").write_bytes(b"12345")
    assert made_by() == ["0"]


def test_what_an_older_version_has_written_is_made_again_as_it_did_not_say_what_that_was(
    made_by: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = tmp_path / "journal.jsonl"
    first, second, *others = journal.read_text().splitlines()
    older = [
        json.dumps([key, {"result": outcome["result"]}])
        for key, outcome in map(json.loads, (first, second))
    ]
    journal.write_text("\n".join([*older, *others, ""]))

    assert made_by() == ["0", "1"]
    assert "0 was made by an older version" in capsys.readouterr().err


@pytest.mark.parametrize(
    "files",
    [None, {}, [1], [["a"]], [["a", "b", "c", "d"]], [["../a", 1, "c", None]], [["a", -1, "c", 0]]],
)
def test_a_journal_that_says_nonsense_of_files_is_not_believed(tmp_path: Path, files: Any) -> None:
    journal = tmp_path / "job" / "journal.jsonl"
    journal.parent.mkdir()
    (tmp_path / "a").touch()
    journal.write_text(json.dumps(["a", {"result": "before", "files": files}]) + "\n")

    assert run_jobs({"a": 1}, lambda _: "now", journal, label="x", workers=1) == {"a": "now"}


def test_only_what_is_still_there_and_inside_of_the_folder_is_recorded(tmp_path: Path) -> None:
    with recorded(tmp_path / "inside") as pieces:
        for name in ("inside/kept", "inside/removed", "outside"):
            with whole_file(tmp_path / name) as part:
                part.touch()
        (tmp_path / "inside" / "removed").unlink()

    assert [piece.name for piece in pieces] == ["kept"]


def test_a_piece_is_read_from_no_other_folder(tmp_path: Path) -> None:
    with recorded(tmp_path) as pieces, whole_file(tmp_path / "a") as part:
        part.write_text("a")
    (piece,) = pieces
    (tmp_path / "inside").mkdir()

    assert piece.is_in(tmp_path)
    assert not piece._replace(name="../a").is_in(tmp_path / "inside")
    assert not piece._replace(name=str(tmp_path / "a")).is_in(tmp_path / "inside")
    assert not Piece("half a \0 name", 0, "", None).is_in(tmp_path)


class Elsewhere:
    """Two threads that stand for workers of other machines, whose writes are synced there."""

    type, workers = "elsewhere", 2

    def __init__(self) -> None:
        self.synced: list[Path] = []

    @contextmanager
    def started(self, *_: Any) -> Any:
        yield Pool(2, backend="threading", sync=self.synced.append)


def test_workers_elsewhere_sync_what_they_have_written_once_when_all_is_done(
    tmp_path: Path,
) -> None:
    executor = Elsewhere()

    run_jobs({"a": 1, "b": 2}, str, tmp_path / "journal.jsonl", label="x", executor=executor)

    assert executor.synced == [tmp_path]


def test_a_worker_that_cannot_sync_is_named(tmp_path: Path) -> None:
    answers = {"10.0.0.1": None, "10.0.0.2": OSError(5, "Input/output error")}

    with pytest.raises(
        TextureError,
        match=r"the worker at 10\.0\.0\.2 has written may not be on the disk .*Input/output error",
    ):
        _sync_workers(tmp_path, lambda _, path: answers)  # noqa: ARG005

"""Nothing is written or removed through a link within an output."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from texturelib.errors import TextureError, UsageError
from texturelib.files import write_text
from texturelib.jobs import run_jobs
from texturelib.locks import LOCK, Lock
from texturelib.made import (
    open_ours,
    place_of,
    remove_all_ours,
    remove_ours,
)
from texturelib.outputs import Output

Look = Callable[..., Output]
OTHER: dict[str, Any] = {"changes": {"seed": 4}, "overwrite": True}


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Path]:
    """Return a folder of the user's own elsewhere, which must be as it was at the end."""
    folder = tmp_path / "mine"
    (folder / "audio").mkdir(parents=True)
    for name in ("notes.txt", "audio/1.wav"):
        (folder / name).write_text("mine")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    yield folder
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_linked_folder_within_an_output_is_neither_written_nor_emptied(
    look: Look, mine: Path, finished: Path
) -> None:
    remove_all_ours(finished / "audio")
    (finished / "audio").symlink_to(mine / "audio")

    with pytest.raises(
        TextureError,
        match=r"results/audio: is a link that leads out of \S*results, which this toolkit writes",
    ):
        write_text(finished / "audio" / "1.wav", "made")
    with pytest.raises(TextureError, match="results/audio: is a link"):
        remove_ours(finished / "audio" / "1.wav")
    look(**OTHER).begin()

    assert (finished / "audio").is_symlink()


@pytest.mark.parametrize("name", ["journal.jsonl", "config.json", "metadata.csv", "last.ckpt"])
def test_a_file_that_is_a_link_is_not_written(
    look: Look, mine: Path, tmp_path: Path, name: str
) -> None:
    look().begin()
    place = tmp_path / "results" / name
    place.unlink(missing_ok=True)
    place.symlink_to(mine / "notes.txt")

    for write in (
        lambda: write_text(place, "made"),
        lambda: open_ours(place, "a"),
        lambda: run_jobs({"1": 1}, str, place, label=""),
    ):
        with pytest.raises(
            TextureError, match=rf"{name}: is a link or no plain file, so nothing is written there"
        ):
            write()


@pytest.mark.parametrize("name", ["run.json", "metadata.csv", "audio/1.wav"])
def test_what_became_a_link_is_left_when_an_output_is_emptied(
    look: Look, mine: Path, finished: Path, name: str
) -> None:
    (finished / name).unlink()
    (finished / name).symlink_to(mine / "notes.txt")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("texturelib.outputs.write_json", lambda *_, **__: None)
        try:
            look(**OTHER).begin()
        except TextureError as refused:
            assert "run.json" in name or "is a link" in str(refused)  # noqa: PT017

    assert (finished / name).is_symlink()


def test_a_lock_that_is_a_link_or_a_strangers_is_not_written(
    look: Look, mine: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / LOCK).symlink_to(mine / "notes.txt")
    with pytest.raises(UsageError, match="holds files that this toolkit did not make"):
        look()
    with pytest.raises(TextureError, match=rf"\{LOCK}: is a link, so nothing is written to it"):
        Lock(folder).take("texture make")

    (folder / LOCK).unlink()
    (folder / LOCK).write_text("locked by my own script")
    with pytest.raises(UsageError, match="holds files that this toolkit did not make"):
        look()
    with pytest.raises(
        TextureError, match=rf"\{LOCK}: is no lock of this toolkit, so nothing is written to it"
    ):
        Lock(folder).take("texture make")
    assert (folder / LOCK).read_text() == "locked by my own script"


@pytest.mark.parametrize("content", ["", '{"command": "texture make", "proc'])
def test_a_lock_that_a_run_left_when_it_was_killed_or_the_disk_was_full_is_ours(
    look: Look, tmp_path: Path, content: str
) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / LOCK).write_text(content)

    look().begin()


def test_an_output_that_is_reached_through_a_link_is_written_but_not_one_within_another(
    look: Look, mine: Path, tmp_path: Path
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "results").symlink_to(tmp_path / "disk")
    look().begin()
    write_text(tmp_path / "results" / "1.wav", "made")

    (tmp_path / "results" / "inner").symlink_to(mine)
    with pytest.raises(TextureError, match="results/inner: is a link that leads out of"):
        place_of(tmp_path / "results" / "inner" / "run.json")

"""What the toolkit made is removed and written over; what anyone else put into an output stays
where it is, and is named."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from texturelib.config import load_config
from texturelib.errors import TextureError, UsageError
from texturelib.files import whole_file, write_json, write_text
from texturelib.jobs import run_jobs
from texturelib.locks import LOCK, BeingWrittenError, Lock
from texturelib.made import (
    LIST,
    begin_list,
    named_by_the_user,
    names_in,
    open_ours,
    place_of,
    remove_all_ours,
    remove_ours,
)
from texturelib.outputs import Output, check_file_place, check_output

Look = Callable[..., Output]


@pytest.fixture
def look(write_config: Callable[..., Path], example: type[Any], tmp_path: Path) -> Look:
    """Look at tmp_path/results for the example config with `changes`."""

    def at(changes: dict[str, Any] | None = None, **options: Any) -> Output:
        return check_output(
            load_config(write_config(**changes or {}), example), "texture make", **options
        )

    return at


OTHER: dict[str, Any] = {"changes": {"seed": 4}, "overwrite": True}


@pytest.fixture
def finished(look: Look) -> Path:
    """Return tmp_path/results as a finished run left it."""
    output = look()
    output.begin()
    for name in ("audio/1.wav", "audio/2.wav", "metadata.csv"):
        write_text(output.folder / name, "made")
    output.finish()
    return output.folder


def files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if not path.is_dir() or path.is_symlink()
    }


FIRST = {"run.json", "config.json", LIST}


def test_a_users_own_files_stay_and_are_named_when_an_output_is_made_anew(
    look: Look, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {"NOTES.txt", "audio/mine.wav", "audio/.part-x.docx", "takes/river.wav", ".hidden"}
    for name in own:
        (finished / name).parent.mkdir(exist_ok=True)
        (finished / name).write_text("mine")

    dry = look({"seed": 4}, dry_run=True).why
    look(**OTHER).begin()

    named = ".hidden, NOTES.txt, audio/.part-x.docx, audio/mine.wav, takes/river.wav"
    assert (
        dry
        == f"config changed: seed 0 -> 4; would remove 6 files, not those that this toolkit did not make: {named}"
    )
    assert files(finished) == own | FIRST | {LOCK}
    assert {(finished / name).read_text() for name in own} == {"mine"}
    assert capsys.readouterr().err.endswith(f"left alone, not made by this toolkit: {named}\n")


def test_a_folder_that_is_empty_then_goes_and_one_of_the_users_stays(
    look: Look, finished: Path
) -> None:
    (finished / "takes").mkdir()

    look(**OTHER).begin()

    assert {path.name for path in finished.iterdir() if path.is_dir()} == {"takes"}


def test_a_users_file_that_is_in_the_way_is_not_written_over(look: Look, finished: Path) -> None:
    (finished / "metadata.json").write_text("mine")
    look(**OTHER).begin()

    with pytest.raises(
        TextureError,
        match=r"metadata\.json: is in the way, and this toolkit did not make it; move it away",
    ):
        write_text(finished / "metadata.json", "made")

    assert (finished / "metadata.json").read_text() == "mine"
    assert files(finished) == FIRST | {"metadata.json", LOCK}


def test_what_a_run_was_about_to_write_when_it_was_killed_is_known_as_its_own(
    look: Look, tmp_path: Path
) -> None:
    look().begin()
    folder = tmp_path / "results"

    class Killed(BaseException):
        pass

    def replace_and_die(part: Path, place: Path) -> None:
        part.rename(place)
        raise Killed

    def begin_and_die(name: str) -> None:
        with whole_file(folder / name) as part:
            part.write_text("ma")
            raise Killed

    # At the latest moment, when the file is there, and at the earliest, when only half of it is.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", replace_and_die)
        with pytest.raises(Killed):
            write_text(folder / "1.wav", "made")
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(Killed):
            begin_and_die("2.wav")
    assert files(folder) == FIRST | {LOCK, "1.wav", f".part-{os.getpid()}-2.wav"}

    look(**OTHER).begin()

    assert files(folder) == FIRST | {LOCK}


def test_a_list_whose_last_line_was_cut_is_read_to_there_and_goes_on(tmp_path: Path) -> None:
    begin_list(tmp_path, ["a"])
    with (tmp_path / LIST).open("a") as file:
        file.write('"half a na')

    write_text(tmp_path / "b", "made")

    assert names_in(tmp_path) == {LIST, "a", "b"}


def test_the_list_of_a_finished_folder_does_not_depend_on_the_order_in_which_files_were_made(
    look: Look, tmp_path: Path
) -> None:
    def made(names: str) -> bytes:
        output = look(**OTHER)
        output.begin()
        for name in names:
            write_text(output.folder / name, "made")
        output.finish()
        content = (output.folder / LIST).read_bytes()
        remove_all_ours(output.folder)
        return content

    first, second = made("abc"), made("cab")
    assert first == second
    assert [json.loads(line) for line in first.splitlines()][2:] == [
        LIST,
        "a",
        "b",
        "c",
        "config.json",
        "run.json",
    ]


@pytest.mark.parametrize(
    "name", ["../mine", "/etc/mine", "audio/../../mine", "link/mine", "a\0b", "", ".", "./mine"]
)
def test_a_list_that_somebody_changed_never_leads_out_of_its_folder(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "link").symlink_to(tmp_path)
    begin_list(tmp_path / "output", [name])

    remove_all_ours(tmp_path / "output")

    assert (tmp_path / "mine").read_text() == "mine"


def test_a_strangers_file_of_the_lists_name_is_no_list_and_stays(
    look: Look, tmp_path: Path, finished: Path
) -> None:
    (finished / LIST).write_text('"my/data"\n')

    with pytest.raises(
        TextureError,
        match=rf"{LIST}: is in the way, and this toolkit did not make it; move it away",
    ):
        look(**OTHER).begin()

    assert (finished / LIST).read_text() == '"my/data"\n'
    (tmp_path / LIST).write_text('"my/data"\n')  # nor in a folder above
    assert place_of(tmp_path / "notes.txt") is None


# Links. ----------------------------------------------------------------------------------------------------------------


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


# Outputs within outputs. -------------------------------------------------------------------------------------------------


def test_an_output_that_holds_another_is_not_emptied_and_the_other_is_named(
    look: Look, finished: Path
) -> None:
    run = {
        "command": "texture spoil",
        "settings": {},
        "inputs": {},
        "fingerprint": "abc",
        "finished": False,
    }
    write_json(finished / "takes" / "real" / "run.json", run)
    before = files(finished)

    said = r'results holds another output, \S*results/takes/real, which "texture spoil" made; move it out'
    with pytest.raises(UsageError, match=said):
        look(**OTHER)
    assert "would be refused: output: " in look({"seed": 4}, dry_run=True).why

    assert files(finished) == before
    assert look().is_done


def test_an_output_in_which_another_run_writes_is_not_emptied(look: Look, finished: Path) -> None:
    late = look(**OTHER)
    (finished / "inner").mkdir()
    held = Lock(finished / "inner")
    held.take("texture spoil")
    # As if it were another process, which alone keeps a lock from this one.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("texturelib.locks._of_this_process", {})
        for attempt in (late.begin, lambda: look(**OTHER)):
            with pytest.raises(
                BeingWrittenError, match=r'results/inner: is being written by "texture spoil"'
            ):
                attempt()
    held.release()
    assert files(finished) == FIRST | {"audio/1.wav", "audio/2.wav", "metadata.csv"}


# Outputs of older versions. ------------------------------------------------------------------------------------------------


def test_of_an_output_without_a_list_only_what_can_be_known_as_ours_is_removed(
    look: Look, finished: Path
) -> None:
    (finished / LIST).unlink()
    run = json.loads((finished / "run.json").read_text())
    (finished / "run.json").write_text(json.dumps(run | {"command": "real-datasets build"}))
    (finished / "metadata.csv").write_text("file_name\naudio/1.wav\n")
    (finished / "journal.jsonl").write_text(
        json.dumps(["river.mp3", {"result": {"segments": [{"file_name": "river_1.wav"}]}}]) + "\n"
    )
    for name in ("audio/river_1.wav", "audio/mine.wav", "NOTES.txt", "README.md"):
        (finished / name).write_text("?")

    look(**OTHER).begin()

    assert files(finished) == FIRST | {
        LOCK,
        "audio/2.wav",
        "audio/mine.wav",
        "NOTES.txt",
        "README.md",
    }


# Files that the user names. ------------------------------------------------------------------------------------------------


def test_a_file_that_the_user_named_is_theirs_also_in_an_output(look: Look, finished: Path) -> None:
    check_file_place(finished / "rising.wav", False)
    with named_by_the_user():
        write_text(finished / "rising.wav", "asked for")

    look(**OTHER).begin()

    assert (finished / "rising.wav").read_text() == "asked for"


def test_a_file_of_an_output_is_not_replaced_by_one_that_the_user_names(
    finished: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"1\.wav belongs to \S*results; name another place"):
        check_file_place(finished / "audio" / "1.wav", True)
    (tmp_path / "x.png").write_text("mine")
    with pytest.raises(UsageError, match=r"x\.png is there already; --overwrite replaces it"):
        check_file_place(tmp_path / "x.csv", False, tmp_path / "x.png")


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A folder with an empty list."""
    begin_list(tmp_path)
    return tmp_path


@pytest.mark.parametrize("n_there", [8192 + 17, 8192, 4096])
def test_a_file_whose_line_a_power_cut_lost_is_written_again(listed: Path, n_there: int) -> None:
    content = bytes(range(256)) * 32 + b"and the rest of it"[:17]
    (listed / "clip.wav").write_bytes(content[:n_there])
    with whole_file(listed / "clip.wav") as part:
        part.write_bytes(content)
    assert (listed / "clip.wav").read_bytes() == content
    assert "clip.wav" in names_in(listed)


@pytest.mark.parametrize("there", [b"a stranger's", bytes(4096), b"x" * 9000])
def test_a_file_with_anything_else_in_it_stays_and_is_named(listed: Path, there: bytes) -> None:
    (listed / "clip.wav").write_bytes(there)
    with (
        pytest.raises(TextureError, match=r"clip\.wav: is in the way"),
        whole_file(listed / "clip.wav") as part,
    ):
        part.write_bytes(b"y" * 8192)
    assert (listed / "clip.wav").read_bytes() == there
    assert [path.name for path in listed.iterdir() if path.name != LIST] == ["clip.wav"]

"""The list of what the toolkit made is whole after a kill, and leads nowhere else."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from texturelib.errors import TextureError
from texturelib.files import whole_file, write_text
from texturelib.locks import LOCK
from texturelib.made import (
    LIST,
    begin_list,
    names_in,
    place_of,
    remove_all_ours,
)
from texturelib.outputs import Output

Look = Callable[..., Output]
Files = Callable[[Path], set[str]]
OTHER: dict[str, Any] = {"changes": {"seed": 4}, "overwrite": True}
FIRST = {"run.json", "config.json", LIST}


def test_what_a_run_was_about_to_write_when_it_was_killed_is_known_as_its_own(
    look: Look, tmp_path: Path, files: Files
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

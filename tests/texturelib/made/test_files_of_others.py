"""What anyone else put into an output stays where it is, and is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from texturelib.errors import TextureError, UsageError
from texturelib.files import write_text
from texturelib.locks import LOCK
from texturelib.made import (
    LIST,
    named_by_the_user,
)
from texturelib.outputs import Output, check_file_place

Look = Callable[..., Output]
Files = Callable[[Path], set[str]]
OTHER: dict[str, Any] = {"changes": {"seed": 4}, "overwrite": True}
FIRST = {"run.json", "config.json", LIST}


def test_a_users_own_files_stay_and_are_named_when_an_output_is_made_anew(
    look: Look, finished: Path, capsys: pytest.CaptureFixture[str], files: Files
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


def test_a_users_file_that_is_in_the_way_is_not_written_over(
    look: Look, finished: Path, files: Files
) -> None:
    (finished / "metadata.json").write_text("mine")
    look(**OTHER).begin()

    with pytest.raises(
        TextureError,
        match=r"metadata\.json: is in the way, and this toolkit did not make it; move it away",
    ):
        write_text(finished / "metadata.json", "made")

    assert (finished / "metadata.json").read_text() == "mine"
    assert files(finished) == FIRST | {"metadata.json", LOCK}


def test_of_an_output_without_a_list_only_what_can_be_known_as_ours_is_removed(
    look: Look, finished: Path, files: Files
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

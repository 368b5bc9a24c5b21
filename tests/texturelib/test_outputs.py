"""A folder that holds something is gone on with, left alone, or replaced, and the reason is
said."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from texturelib.config import load_config
from texturelib.errors import TextureError, UsageError
from texturelib.files import write_json, write_text
from texturelib.locks import LOCK
from texturelib.made import LIST
from texturelib.outputs import Output, check_output, fingerprint


@pytest.fixture
def look(
    write_config: Callable[..., Path], example: type[Any], tmp_path: Path
) -> Callable[..., Output]:
    """Look at tmp_path/results for the example config with `changes`."""

    def at(
        changes: dict[str, Any] | None = None, command: str = "texture make", **options: Any
    ) -> Output:
        return check_output(load_config(write_config(**changes or {}), example), command, **options)

    return at


@pytest.fixture
def finished(look: Callable[..., Output], tmp_path: Path) -> Path:
    """Return tmp_path/results as a finished run left it."""
    output = look()
    output.begin()
    write_text(output.folder / "audio" / "1.wav", "sound")
    output.finish()
    return output.folder


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files without the list of these, and without the lock, which goes when the run
    that holds it ends."""
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (LIST, LOCK)
    ]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_looking_changes_nothing(look: Callable[..., Output], tmp_path: Path) -> None:
    output = look()

    assert (output.why, output.is_done) == ("first run", False)
    assert not (tmp_path / "results").exists()


def test_an_empty_folder_is_as_good_as_none(look: Callable[..., Output], tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()

    assert look().why == "first run"


def test_a_finished_folder_is_done_and_unchanged(
    look: Callable[..., Output], finished: Path
) -> None:
    output = look()

    assert (output.why, output.is_done) == ("done and unchanged", True)


def test_a_default_written_out_changes_nothing(look: Callable[..., Output], finished: Path) -> None:
    assert look({"seed": 0, "window": "hann"}).is_done


def test_another_executor_changes_nothing_neither_of_what_is_finished_nor_of_what_was_stopped(
    look: Callable[..., Output], finished: Path
) -> None:
    elsewhere = {"executor": {"type": "dask", "address": "tcp://10.0.0.7:8786"}}

    assert look(elsewhere).is_done
    before = contents(finished)
    look({"n_clips": 4}, overwrite=True).begin()
    assert look({"n_clips": 4, **elsewhere}).why == "goes on where it was stopped"
    assert (
        before["config.json"].replace(b'"n_clips": 3', b'"n_clips": 4')
        == contents(finished)["config.json"]
    )


def test_a_stopped_run_goes_on_with_what_it_has(
    look: Callable[..., Output], tmp_path: Path
) -> None:
    look().begin()
    write_text(
        tmp_path / "results" / "clip.wav", "a clip that was written by an earlier version of it"
    )
    (tmp_path / "results" / "journal.jsonl").write_text("a line\n")
    (tmp_path / "results" / ".part-7-clip.wav").write_text("half a cl")

    output = look()
    output.begin()

    assert (output.why, output.is_done) == ("goes on where it was stopped", False)
    assert "journal.jsonl" in contents(output.folder)
    assert ".part-7-clip.wav" not in contents(output.folder)


def test_a_run_killed_while_it_began_is_not_taken_for_a_strangers(
    look: Callable[..., Output], tmp_path: Path
) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / ".part-7-run.json").write_text("{")

    assert look().why == "first run"


def test_a_changed_config_is_refused_with_the_change_named(
    look: Callable[..., Output], finished: Path
) -> None:
    before = contents(finished)

    with pytest.raises(UsageError) as refused:
        look({"volume": {"low": 0.25}, "seed": 4})

    assert (
        "was made otherwise (config changed: seed 0 -> 4 and 1 more); --overwrite replaces it"
        in str(refused.value)
    )
    assert contents(finished) == before


def test_a_change_deep_in_the_config_is_named_by_its_key_path(
    look: Callable[..., Output], finished: Path
) -> None:
    assert (
        look({"volume": {"low": 0.25}}, dry_run=True).why
        == "config changed: volume.low 0.0 -> 0.25; would remove 4 files"
    )


def test_a_key_that_the_result_does_not_depend_on_may_change(
    look: Callable[..., Output], tmp_path: Path
) -> None:
    only = {"n_clips"}
    output = look(only=only)
    output.begin()
    output.finish()

    assert look({"seed": 4}, only=only).is_done
    assert not look({"n_clips": 4}, only=only, dry_run=True).is_done


def test_an_option_of_the_command_counts_as_config(
    look: Callable[..., Output], finished: Path
) -> None:
    assert (
        look(extra={"sample": 5}, dry_run=True).why
        == "config changed: sample null -> 5; would remove 4 files"
    )


def test_another_commands_folder_is_refused(look: Callable[..., Output], finished: Path) -> None:
    with pytest.raises(UsageError, match='it was written by "texture make"'):
        look(command="texture spoil")


def test_a_changed_input_is_named(look: Callable[..., Output], tmp_path: Path) -> None:
    recordings, table = tmp_path / "recordings", tmp_path / "table.csv"
    recordings.mkdir()
    (recordings / "a.wav").write_text("a")
    table.write_text("x")
    inputs = {"recordings": recordings, "table": table}
    output = look(inputs=inputs)
    output.begin()
    output.finish()
    assert look(inputs=inputs).is_done

    (recordings / "b.wav").write_text("b")

    assert (
        look(inputs=inputs, dry_run=True).why == "input changed: recordings; would remove 4 files"
    )


def test_an_input_that_is_no_longer_asked_for_is_named(
    look: Callable[..., Output], tmp_path: Path
) -> None:
    (tmp_path / "table.csv").write_text("x")
    output = look(inputs={"table": tmp_path / "table.csv"})
    output.begin()
    output.finish()

    assert look(dry_run=True).why == "input changed: table; would remove 3 files"


def test_overwrite_replaces_everything(look: Callable[..., Output], finished: Path) -> None:
    output = look({"seed": 4}, overwrite=True)
    assert output.why == "config changed: seed 0 -> 4"

    output.begin()

    assert set(contents(finished)) == {"config.json", "run.json"}
    assert json.loads((finished / "config.json").read_text())["seed"] == 4


@pytest.mark.parametrize("next_settings", [{}, {"seed": 4}])
def test_a_run_killed_while_it_emptied_the_folder_is_neither_resumed_nor_taken_for_a_strangers(
    look: Callable[..., Output],
    finished: Path,
    monkeypatch: pytest.MonkeyPatch,
    next_settings: dict[str, Any],
) -> None:
    class Killed(BaseException):
        pass

    def die(folder: Path, keep: tuple[str, ...]) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("texturelib.outputs.remove_all_ours", die)
        with pytest.raises(Killed):
            look({"seed": 4}, overwrite=True).begin()

    # With neither the old nor the new settings may the old sounds pass for results.
    output = look(next_settings)
    assert not output.is_done
    output.begin()
    assert set(contents(finished)) == {"config.json", "run.json"}


def test_a_linked_output_folder_stays_a_link(look: Callable[..., Output], tmp_path: Path) -> None:
    # A user whose disk is full puts results elsewhere and leaves a link.
    (tmp_path / "big_disk").mkdir()
    (tmp_path / "results").symlink_to(tmp_path / "big_disk")

    look().begin()
    look({"seed": 4}, overwrite=True).begin()

    assert (tmp_path / "results").is_symlink()
    assert (tmp_path / "big_disk" / "run.json").exists()


@pytest.mark.parametrize("run_json", [None, '{"experiment": 3}', "[1]"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_strangers_folder_is_refused_and_untouched_even_with_overwrite(
    look: Callable[..., Output], tmp_path: Path, run_json: str | None, overwrite: bool
) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "thesis.docx").write_text("three years of work")
    if run_json:  # by chance a file of the same name
        (folder / "run.json").write_text(run_json)
    before = contents(folder)

    with pytest.raises(UsageError, match="holds files that this toolkit did not make"):
        look(overwrite=overwrite)
    # Though it has yet to wait for its input.
    with pytest.raises(UsageError, match="holds files that this toolkit did not make"):
        look(inputs={"recordings": tmp_path / "nowhere"}, dry_run=True)

    assert contents(folder) == before


def test_a_file_in_the_place_of_the_folder_is_refused(
    look: Callable[..., Output], tmp_path: Path
) -> None:
    (tmp_path / "results").touch()

    with pytest.raises(UsageError, match="is a file; name a folder"):
        look()


def test_a_missing_input_is_an_error_or_in_a_dry_run_something_to_wait_for(
    look: Callable[..., Output], tmp_path: Path
) -> None:
    inputs = {"recordings": tmp_path / "nowhere"}

    with pytest.raises(TextureError, match="nowhere: no such file or folder"):
        look(inputs=inputs)
    assert look(inputs=inputs, dry_run=True).why.startswith("waits: ")


def test_an_empty_input_and_an_unfinished_one_are_errors(
    look: Callable[..., Output], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(TextureError, match="empty: is empty"):
        fingerprint(tmp_path / "empty")

    look().begin()
    with pytest.raises(
        TextureError, match='results: is not finished; run "texture make" to its end first'
    ):
        fingerprint(tmp_path / "results")


def test_a_finished_folder_as_input_is_known_by_how_it_was_made_and_by_its_table(
    look: Callable[..., Output], finished: Path
) -> None:
    before = fingerprint(finished)

    (finished / "metadata.csv").write_text("file_name\na.wav\n")
    with_table = fingerprint(finished)
    (finished / "metadata.csv").write_text("file_name\nb.wav\n")

    assert len({before, with_table, fingerprint(finished)}) == 3


def test_an_input_folder_with_a_strangers_run_json_is_a_folder_of_files(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")

    assert fingerprint(tmp_path)


def test_a_folder_inside_an_output_is_not_read_before_that_output_is_finished(
    tmp_path: Path,
) -> None:
    run = {"command": "make", "settings": {}, "inputs": {}, "fingerprint": "abc", "finished": False}
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "river.wav").write_text("the first of many")
    write_json(tmp_path / "run.json", run)

    with pytest.raises(
        TextureError, match=r'recordings: is not finished; run "make" to its end first'
    ):
        fingerprint(tmp_path / "recordings")

    write_json(tmp_path / "run.json", run | {"finished": True})
    assert fingerprint(tmp_path / "recordings") == fingerprint(tmp_path / "recordings")


def test_a_sound_that_somebody_puts_into_a_finished_folder_of_sounds_is_an_input_too(
    finished: Path,
) -> None:
    before = fingerprint(finished / "audio")
    (finished / "audio" / "NOTES.txt").write_text("not a sound")
    assert fingerprint(finished / "audio") == before
    (finished / "audio" / "river.wav").write_text("another sound")
    assert fingerprint(finished / "audio") != before


def test_a_sound_beside_a_table_that_does_not_name_it_changes_nothing(
    look: Callable[..., Output], tmp_path: Path
) -> None:
    output = look()
    output.begin()
    write_text(output.folder / "metadata.csv", "file_name\naudio/1.wav\n")
    output.finish()
    before = fingerprint(output.folder)
    (output.folder / "river.wav").write_text("another sound")
    assert fingerprint(output.folder) == before


def test_a_finished_folder_holds_no_lock(finished: Path) -> None:
    assert not (finished / LOCK).exists()


def test_what_another_run_has_finished_since_this_one_looked_is_not_emptied(
    look: Callable[..., Output], tmp_path: Path
) -> None:
    # Loading takes seconds between looking and beginning.
    late = look()
    other = look({"seed": 4})
    other.begin()
    (tmp_path / "results" / "1.wav").write_text("sound")
    other.finish()
    before = contents(tmp_path / "results")

    with pytest.raises(
        TextureError,
        match="results: another run has written there meanwhile; start the same command again",
    ):
        late.begin()

    assert contents(tmp_path / "results") == before
    assert not (tmp_path / "results" / LOCK).exists()


@pytest.mark.parametrize("path", ["table.csv", "made"])
def test_a_folder_is_not_finished_when_its_input_was_made_anew_meanwhile(
    look: Callable[..., Output], tmp_path: Path, path: str
) -> None:
    def make(content: str) -> None:
        (tmp_path / "table.csv").write_text(content)
        (tmp_path / "made").mkdir(exist_ok=True)
        run = {
            "command": "make",
            "settings": {},
            "inputs": {},
            "fingerprint": content,
            "finished": True,
        }
        write_json(tmp_path / "made" / "run.json", run)

    make("old")
    output = look(inputs={"clips": tmp_path / path})
    output.begin()
    make("new")

    with pytest.raises(
        TextureError,
        match=rf"clips: \S*{path} was made anew while it was read; .* with --overwrite",
    ):
        output.finish()
    assert not look(inputs={"clips": tmp_path / path}, overwrite=True).is_done


def test_a_users_own_folder_may_grow_while_it_is_read_and_the_next_run_notices(
    look: Callable[..., Output], tmp_path: Path
) -> None:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "a.wav").write_text("a")
    inputs = {"recordings": tmp_path / "recordings"}
    output = look(inputs=inputs)
    output.begin()
    (tmp_path / "recordings" / "b.wav").write_text("b")
    output.finish()

    assert (
        look(inputs=inputs, dry_run=True).why == "input changed: recordings; would remove 4 files"
    )


@pytest.fixture
def recordings(look: Callable[..., Output], tmp_path: Path) -> Path:
    """Return a folder of the user's own that a finished run in tmp_path/results read."""
    folder = tmp_path / "recordings"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.wav").write_text("one")
    (folder / "deep" / "b.wav").write_text("two")
    output = look(inputs={"source": folder})
    output.begin()
    output.finish()
    return folder


def test_a_touched_or_copied_folder_that_holds_the_same_bytes_is_the_same(
    look: Callable[..., Output], recordings: Path, tmp_path: Path
) -> None:
    os.utime(recordings / "a.wav", (0, 0))
    assert look(inputs={"source": recordings}).is_done
    shutil.copytree(recordings, tmp_path / "copy", copy_function=shutil.copyfile)
    shutil.rmtree(recordings)
    (tmp_path / "copy").rename(recordings)
    assert look(inputs={"source": recordings}).is_done


def test_what_a_system_leaves_in_a_folder_changes_nothing(
    look: Callable[..., Output], recordings: Path
) -> None:
    for name in (".DS_Store", ".ipynb_checkpoints/a.wav", "__MACOSX/._a.wav"):
        (recordings / name).parent.mkdir(exist_ok=True)
        (recordings / name).write_text("x")
    assert look(inputs={"source": recordings}).is_done


@pytest.mark.parametrize(
    "change",
    ["other bytes of the same size", "a file more", "a file less", "another name", "a bad note"],
)
def test_a_folder_that_holds_something_else_is_another(
    look: Callable[..., Output], recordings: Path, tmp_path: Path, change: str
) -> None:
    if change == "other bytes of the same size":
        (recordings / "a.wav").write_text("eno")
    elif change == "a file more":
        (recordings / "c.wav").write_text("three")
    elif change == "a file less":
        (recordings / "a.wav").unlink()
    elif change == "another name":
        (recordings / "a.wav").rename(recordings / "c.wav")
    else:
        os.utime(recordings / "a.wav", (0, 0))
        (tmp_path / "results" / "inputs.json").write_text("[1]")
    with pytest.raises(UsageError, match="input changed: source"):
        look(inputs={"source": recordings})


@pytest.mark.parametrize("change", ["other bytes", "a file less"])
def test_a_folder_that_changes_between_two_looks_at_it_is_another_in_the_next_run(
    look: Callable[..., Output], recordings: Path, tmp_path: Path, change: str
) -> None:
    output = look(inputs={"source": recordings}, extra={"seed": 1}, overwrite=True)
    if change == "other bytes":
        (recordings / "a.wav").write_text("longer")
    else:
        (recordings / "a.wav").unlink()
    output.begin()
    output.finish()
    with pytest.raises(UsageError, match="input changed: source"):
        look(inputs={"source": recordings}, extra={"seed": 1})

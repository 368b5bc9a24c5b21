"""A file appears whole or not at all."""

from pathlib import Path

import numpy as np
import pytest

from texturelib.errors import TextureError
from texturelib.files import (
    import_pandas,
    link_or_copy,
    read_json,
    read_table,
    remove_parts,
    shown,
    whole_file,
    write_json,
    write_table,
)
from texturelib.made import LIST, begin_list


def everything_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def write_half(path: Path, failure: type[BaseException]) -> None:
    with whole_file(path) as part:
        part.write_text("half of")
        raise failure


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_block_that_fails_leaves_nothing_behind(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    with pytest.raises(failure):
        write_half(tmp_path / "table.csv", failure)

    assert everything_in(tmp_path) == []


def test_a_block_that_fails_leaves_the_file_of_before(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("before")

    with pytest.raises(ValueError):  # noqa: PT011 (it is the one that the block raises)
        write_half(path, ValueError)

    assert path.read_text() == "before"
    assert everything_in(tmp_path) == ["table.csv"]


def test_until_the_block_ends_the_file_of_before_is_there_whole(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a longer text of before")

    with whole_file(path) as part:
        part.write_text("after")
        assert path.read_text() == "a longer text of before"

    assert path.read_text() == "after"
    assert everything_in(tmp_path) == ["table.csv"]


def test_a_half_written_file_is_hidden_beside_its_place_and_keeps_its_suffix(
    tmp_path: Path,
) -> None:
    # Beside it, since only there a rename is one step; its suffix, since soundfile chooses the
    # format by it.
    with whole_file(tmp_path / "new" / "clip.wav") as part:
        part.touch()
        assert part.parent == tmp_path / "new"
        assert part.name.startswith(".")
        assert part.suffix == ".wav"


def test_a_folder_in_the_place_of_a_file_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "table.csv").mkdir()

    with pytest.raises(IsADirectoryError, match=r"table\.csv"), whole_file(tmp_path / "table.csv"):
        pytest.fail("nothing should be written that cannot be put in its place")

    assert everything_in(tmp_path) == ["table.csv"]


def test_what_killed_runs_left_half_written_is_removed_and_nothing_else(tmp_path: Path) -> None:
    begin_list(tmp_path, ["audio/a.wav", "run.json"])
    (tmp_path / "audio").mkdir()
    others = [
        ".part-x.docx",
        ".part-7-thesis.docx",
        "audio/.part-7-run.json",
        "audio/.part-1-",
        "audio/x.part-1-a.wav",
        ".hidden",
    ]
    for name in (
        "audio/.part-123-a.wav",
        "audio/.part-123.1-a.wav",
        ".part-99-run.json",
        "audio/a.wav",
        *others,
    ):
        (tmp_path / name).touch()

    remove_parts(tmp_path)

    assert everything_in(tmp_path) == sorted([*others, LIST, "audio", "audio/a.wav"])


def test_a_second_name_is_given_once_or_again_and_leaves_no_third(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")

    # The second time both names are one file already, and a rename onto itself does nothing.
    for _ in range(2):
        link_or_copy(tmp_path / "a.wav", tmp_path / "export" / "b.wav")

    assert (tmp_path / "export" / "b.wav").read_bytes() == b"sound"
    assert everything_in(tmp_path) == ["a.wav", "export", "export/b.wav"]


def test_json_comes_back_as_it_was(tmp_path: Path) -> None:
    content = {"name": "Bäch", "values": [0.1, None, True]}

    write_json(tmp_path / "a.json", content)

    assert read_json(tmp_path / "a.json") == content


def test_a_table_comes_back_as_it_was_with_names_that_look_like_numbers_or_nothing(
    tmp_path: Path,
) -> None:
    # A file called 007, NA or 1e5 is none of 7, missing, 100000; a name that is not UTF-8 (here
    # Latin-1) is a name too.
    names = ["007", "NA", "1e5", "a, b", 'say "c"', "b\udce4ch.wav", "None", "a\nb\rc\r\nd"]
    table = import_pandas().DataFrame(
        {"file_name": names, "avgRate": np.linspace(0, 1, len(names)).round(3)}
    )

    write_table(tmp_path / "metadata.csv", table)
    again = read_table(tmp_path / "metadata.csv")

    assert again["file_name"].tolist() == names
    assert again["avgRate"].tolist() == table["avgRate"].tolist()


def test_columns_that_should_stay_text_are_the_callers_to_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("file_name,origin,size\n007,001,001\n")

    [row] = read_table(tmp_path / "a.csv", ("file_name", "origin")).itertuples(index=False)

    assert tuple(row) == ("007", "001", 1)


@pytest.mark.parametrize(
    ("name", "content", "reader", "expected"),
    [
        ("a.json", None, read_json, "no such file"),
        ("a.json", b"{", read_json, "not JSON"),
        ("a.json", b"\xff", read_json, "not JSON"),
        ("a.csv", None, read_table, "no such file"),
        ("a.csv", b"", read_table, "not a CSV table"),
        ("a.csv", b'a,b\n1,2\n1,2,3,4\n"', read_table, "not a CSV table"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes | None, reader, expected: str
) -> None:  # type: ignore[no-untyped-def]
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(TextureError) as refused:
        reader(tmp_path / name)

    assert str(refused.value).startswith(f"{shown(tmp_path / name)}: {expected}")


def test_a_path_is_shown_as_a_person_here_would_type_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")

    assert shown(tmp_path / "project" / "results" / "a") == "results/a"
    assert shown(tmp_path / "sounds") == "../sounds"
    assert shown(Path("/usr/share")) == "/usr/share"


def test_where_a_second_name_cannot_be_given_the_file_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    (tmp_path / "a.wav").write_bytes(b"sound")
    monkeypatch.setattr("os.link", refuse)

    link_or_copy(tmp_path / "a.wav", tmp_path / "b.wav")

    assert (tmp_path / "b.wav").read_bytes() == b"sound"
    assert everything_in(tmp_path) == ["a.wav", "b.wav"]


def test_a_link_is_linked_to_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "sound.wav").write_text("sound")
    (tmp_path / "link.wav").symlink_to("sound.wav")

    link_or_copy(tmp_path / "link.wav", tmp_path / "elsewhere" / "twin.wav")

    assert not (tmp_path / "elsewhere" / "twin.wav").is_symlink()
    assert (tmp_path / "elsewhere" / "twin.wav").read_text() == "sound"

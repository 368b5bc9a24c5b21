"""A folder's recordings get their tags from the names of sub-folders or from a table."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

from real_datasets.sources import Recording
from real_datasets.sources.folder import Folder
from texturelib.errors import TextureError


@pytest.fixture
def recordings(tmp_path: Path) -> Callable[..., Sequence[Recording]]:
    """Return what a folder of these files and a table (or "folders") says of them; no file holds a
    sound."""

    def read(names: Sequence[str], tags_from: str | bytes) -> Sequence[Recording]:
        for name in names:
            (tmp_path / "sounds" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "sounds" / name).touch()
        if tags_from in ("folders", "nothing"):
            return Folder.model_validate(
                {"path": tmp_path / "sounds", "tags_from": tags_from}
            ).recordings()
        table = tmp_path / "tags.csv"
        table.write_bytes(tags_from.encode() if isinstance(tags_from, str) else tags_from)
        return Folder(path=tmp_path / "sounds", tags_from=table).recordings()

    return read


def test_the_folders_that_a_file_lies_in_are_its_tags(recordings) -> None:
    found = recordings(["water/slow stream/a.wav", "water/b.wav", "c.wav"], "folders")
    assert {recording.name: recording.tags for recording in found} == {
        "c.wav": (),
        "water/b.wav": ("water",),
        "water/slow stream/a.wav": ("water", "slow stream"),
    }


def test_without_being_told_so_folders_are_no_tags(recordings) -> None:
    assert [recording.tags for recording in recordings(["water/a.wav"], "nothing")] == [()]


def test_a_table_says_what_it_has_columns_for(recordings) -> None:
    rows = "tags,file_name,licence,title,mood\nrain,a.wav,CC0,Rain,sad\n"
    [a, b] = recordings(["a.wav", "b.wav"], rows)
    assert (a.tags, a.licence, a.title, a.author, a.origin) == (("rain",), "CC0", "Rain", "", "")
    assert (b.tags, b.licence, b.title) == ((), "", "")  # not in the table


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("rain", ("rain",)),
        ("rain;wind", ("rain", "wind")),
        ('"rain, wind"', ("rain", "wind")),
        ('" rain ,, wind,"', ("rain", "wind")),
        # With a ; the comma belongs to the tag.
        ('"Splash, splatter; Water"', ("Splash, splatter", "Water")),
        ('"Splash, splatter;"', ("Splash, splatter",)),
        ("", ()),
        ("007", ("007",)),
        ("NA", ("NA",)),
        ("1.50", ("1.50",)),
        ("True", ("True",)),
    ],
)
def test_tags_stand_between_semicolons_or_else_commas_and_stay_as_they_are_written(
    recordings, tags, expected
) -> None:
    [recording] = recordings(["a.wav"], f"file_name,tags\na.wav,{tags}\n")
    assert recording.tags == expected


def test_numbers_in_any_column_stay_as_they_are_written(recordings) -> None:
    # As numbers, 001 and 1 would be one origin, and with an empty cell among them 1.0.
    rows = "file_name,tags,origin,author,split\na.wav,1,001,007,1\nb.wav,2,1,42,2\nc.wav,3,,,\n"
    found = recordings(["a.wav", "b.wav", "c.wav"], rows)
    assert [(each.tags, each.origin, each.author, each.split) for each in found] == [
        (("1",), "001", "007", "1"),
        (("2",), "1", "42", "2"),
        (("3",), "", "", ""),
    ]


def test_names_in_sub_folders_and_of_any_script_are_found_in_the_table(recordings) -> None:
    names = ["a/rain.wav", 'b/rain, "live".wav', "Fluß 水.wav", "007.wav"]
    table = pd.DataFrame({"file_name": names, "tags": ["1", "2", "3", "4"]}).to_csv(index=False)
    assert {each.name: each.tags[0] for each in recordings(names, table)} == dict(
        zip(names, "1234", strict=True)
    )


def test_a_table_as_spreadsheets_save_it_begins_with_a_mark_that_is_not_part_of_a_name(
    recordings,
) -> None:
    [recording] = recordings(["a.wav"], b"\xef\xbb\xbffile_name,tags\r\na.wav,rain\r\n")
    assert recording.tags == ("rain",)


def test_rows_of_files_that_are_not_there_are_passed_over_while_others_are(recordings) -> None:
    found = recordings(
        ["a.wav"], "file_name,tags\na.wav,rain\ngone.wav,wind\n../outside.wav,fire\n"
    )
    assert [(each.name, each.tags) for each in found] == [("a.wav", ("rain",))]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("file_name,tag\na.wav,rain\n", "has no column tags (it has file_name, tag)"),
        ("tags\nrain\n", "has no column file_name (it has tags)"),
        (
            "file_name;tags\na.wav;rain\n",
            "its columns are parted by semicolons; save it with commas (and points in numbers)",
        ),
        ("file_name,tags\na.wav,rain\na.wav,wind\n", '"a.wav" stands in two rows; keep one'),
        (
            "file_name,tags\nA.wav,rain\n",
            'names no file of the folder; its first is "A.wav" (did you mean "a.wav"?',
        ),
        ("file_name,tags\n", 'names no file of the folder; its first is ""'),
        ("", "has no column file_name"),
        (
            "file_name,tags\na.wav,rain,wind\n",
            "line 2: has 3 columns, not 2; put tags with commas in quotes",
        ),
        ('file_name,tags\na.wav,"rain\n', "not a CSV table"),
        (
            "file_name,tags,author\na.wav,rain,Müller\n".encode("latin-1"),
            "not a text file in UTF-8",
        ),
        (b"\x00\x01\x02RIFF\xff\xfe", "tags.csv: "),
    ],
)
def test_a_table_that_is_none_is_one_sentence_that_names_it(recordings, table, expected) -> None:
    with pytest.raises(TextureError) as error:
        recordings(["a.wav"], table)
    sentence = str(error.value)
    assert sentence.startswith("source.tags_from: ")
    assert expected in sentence
    assert "\n" not in sentence


def test_a_table_that_is_not_there_is_one_sentence(record, config, noise, command) -> None:
    record("a.wav", noise(1))
    # "folders" was meant.
    status, _, error = command("build", config, "--set", "source.tags_from=folder")
    assert (status, error.count("\n")) == (1, 1)
    assert error.startswith("source.tags_from: folder: no such file")


def test_a_change_in_the_table_is_noticed(record, config, noise, command, tmp_path) -> None:
    record("a.wav", noise(1))
    table = tmp_path / "tags.csv"
    table.write_text("file_name,tags\na.wav,rain\n")
    options = ["--workers", 1, "--set", f"source.tags_from={table}"]
    assert command("build", config, *options)[0] == 0
    table.write_text("file_name,tags\na.wav,wind and rain\n")
    status, _, error = command("build", config, *options)
    assert status == 2
    assert "input changed: source.tags_from" in error


def test_a_change_in_the_ontology_is_noticed(record, config, noise, command, tmp_path) -> None:
    record("Rain/a.wav", noise(1))
    ontology = tmp_path / "ontology.json"
    ontology.write_text('[{"id": "1", "name": "Rain", "child_ids": []}]')
    tags = {"policy": "at_least_one", "wanted": ["Rain"], "ontology": str(ontology)}
    options = [
        "--workers",
        1,
        "--set",
        "source.tags_from=folders",
        "--set",
        f"tags={json.dumps(tags)}",
    ]
    assert command("build", config, *options)[0] == 0
    assert "done and unchanged" in command("build", config, *options)[1]
    ontology.write_text(
        '[{"id": "1", "name": "Rain", "child_ids": []}, {"id": "2", "name": "Wind", "child_ids": []}]'
    )
    status, _, error = command("build", config, *options)
    assert status == 2
    assert "input changed: tags.ontology" in error


@pytest.mark.parametrize("tags_from", ["folders", "table"])
def test_the_written_config_makes_the_same_set_again(
    record, config, noise, command, contents, tmp_path, tags_from
) -> None:
    record("rain/a.wav", noise(1))
    (tmp_path / "tags.csv").write_text("file_name,tags\nrain/a.wav,rain\n")
    given = tmp_path / "tags.csv" if tags_from == "table" else tags_from
    assert command("build", config, "--workers", 1, "--set", f"source.tags_from={given}")[0] == 0
    written = tmp_path / "real" / "config.json"
    assert (
        command("build", written, "--workers", 1, "--set", f"output={tmp_path / 'again'}")[0] == 0
    )
    first = {name.removeprefix("real/"): content for name, content in contents("real").items()}
    assert {
        name.removeprefix("again/"): content for name, content in contents("again").items()
    } == first
    assert pd.read_csv(tmp_path / "again" / "metadata.csv")["tags"].tolist() == ["rain"]

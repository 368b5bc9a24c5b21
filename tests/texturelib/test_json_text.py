"""JSON and tables as people save them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texturelib.config import load_config
from texturelib.errors import TextureError, UsageError
from texturelib.files import read_json, read_table
from texturelib.json_text import NotJsonError, parse


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ('{\n  "a": 1,\n}', 2, 9, 'there is a comma before "}"; take it away'),
        ('{"a": [1, 2, ]}', 1, 12, 'there is a comma before "]"; take it away'),
        ('{\n  "a": 1, // one\n  "b": 2}', 2, 11, "JSON has no comments; take it away"),
        ('# mine\n{"a": 1}', 1, 1, "JSON has no comments; take it away"),
        ('{"a": 1 /* one */}', 1, 9, "JSON has no comments; take it away"),
        ("{'a': 1}", 1, 2, "texts stand in double quotes, not in single ones"),
        ("{“a”: 1}", 1, 2, 'texts stand in straight double quotes ("), not in “'),
        ('{"a":\n True}', 2, 2, "True is written true"),
        ('{"a": None}', 1, 7, "None is written null"),
        ("{a: 1}", 1, 2, "a should stand in double quotes"),
        ('{"says": "NaN", "b": NaN}', 1, 22, "it holds NaN"),
        ('{"b": [-Infinity]}', 1, 8, "it holds -Infinity"),
        ('{"a": 1\n "b": 2}', 2, 2, "a comma is missing before this"),
        ('{"a": 1', 1, 8, 'it ends too early; a "}", "]" or quote is missing'),
        (
            '{"a": "one\n}',
            1,
            11,
            "a text runs over the end of its line; its closing quote is missing",
        ),
        ('{"a": 1} 2', 1, 10, "this stands after the end"),
        ("", 1, 1, "it is empty"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, line: int, column: int, what: str) -> None:
    with pytest.raises(NotJsonError) as caught:
        parse(text, allow_nan=False)
    assert (caught.value.flaw.line, caught.value.flaw.column, caught.value.flaw.what) == (
        line,
        column,
        what,
    )


@given(st.text("{}[]\",:1 a\n/#'NTtnull\\", max_size=30))
def test_every_text_is_read_as_json_reads_it_or_refused_in_words(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(NotJsonError) as caught:
            parse(text, allow_nan=True)
        assert caught.value.flaw.column >= 1
    else:
        assert repr(parse(text, allow_nan=True)) == repr(expected)  # NaN is not equal to itself


def test_a_byte_order_mark_is_read_over(
    tmp_path: Path, write_config: Callable[..., Path], example: type[Any]
) -> None:
    path = write_config()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    load_config(path, example)
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbffile_name,rate\na.wav,0.5\n")
    assert read_table(tmp_path / "a.csv").columns.tolist() == ["file_name", "rate"]
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_json(tmp_path / "a.json") == {"a": 1}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(("name", "reader"), [("a.json", read_json), ("a.csv", read_table)])
def test_what_windows_calls_unicode_is_named(
    tmp_path: Path, encoding: str, name: str, reader: Callable[[Path], Any]
) -> None:
    (tmp_path / name).write_bytes('{"a": 1}'.encode(encoding))
    with pytest.raises(
        TextureError, match=r'is text in UTF-16 or UTF-32 \("Unicode"\); save it as UTF-8'
    ):
        reader(tmp_path / name)


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_a_table_with_other_separators_than_commas_is_said_to_have_them(
    tmp_path: Path, separator: str, name: str
) -> None:
    (tmp_path / "a.csv").write_text(
        separator.join(["file_name", "rate"]) + "\n" + separator.join(["a.wav", "0,5"]) + "\n"
    )
    with pytest.raises(
        TextureError, match=f"its columns are parted by {name}; save it with commas"
    ):
        read_table(tmp_path / "a.csv")


def test_the_sentence_about_a_config_names_file_line_column_and_text(
    write_config: Callable[..., Path], example: type[Any]
) -> None:
    path = write_config()
    path.write_text('{\n  "n_clips": 3,  // clips\n}')
    with pytest.raises(UsageError) as caught:
        load_config(path, example)
    assert str(caught.value).endswith(
        'line 2: not valid JSON: JSON has no comments; take it away (column 18: "n_clips": 3,  // clips)'
    )

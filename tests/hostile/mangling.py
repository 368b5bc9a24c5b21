"""Inputs that are nearly right: what a valid one becomes when bytes, values or structure are
changed in it."""

import csv
import io
import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

_NUMBERS = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    1 << 40,
    (1 << 63) - 1,
    (1 << 64) - 1,
)

_LITERALS = (
    "null", "true", "-1", "0", "1", "2", "0.1", "1e308", "-1e308", "1e-320", "1e999", "NaN", "Infinity", "-Infinity",
    "1" + "0" * 400, "9" * 5000, "1000000000000000000",
    '""', '" "', r'"\u0000"', r'"\ud800"', r'"\n"', '"../../../tmp/outside"', '"/etc/passwd"', '"~no_such_user/x"', '"."', '"="',
    '"<script>alert(1)</script>"', r'"$_{$"', '"none"', '"1"', '"' + "a" * 70_000 + '"',
    "[]", "{}", "[[]]", "[null]", "[1, 2, 3]", "[0.1, 0.9]", "[0.9, 0.1]", '{"type": "none"}', '{"name": 1}',
    "[" * 200_000 + "]" * 200_000, '{"a":' * 100_000 + "1" + "}" * 100_000,
)  # fmt: skip
"""JSON, word for word: what a reader may find where it expects something else."""

_CELLS = (
    "", " ", "NaN", "inf", "-inf", "1e999", "1e308", "-1", "1" + "0" * 400, "9" * 5000, "0x10", "true", "null", "None", "0.5",
    "../../outside.wav", "/etc/passwd", ".", "audio", "audio/../../x.wav", "audio/1.raw", "metadata.csv", "run.json",
    "a\0b.wav", "audio/1.wav", "two\nlines", "carriage\rreturn", 'quo"te', "comma,", "=1+1", "<script>", "$_{$", "x" * 5000,
    "\udce4.wav", "水", "\ufeff",
)  # fmt: skip


@st.composite
def mangled(draw: st.DrawFn, originals: Sequence[bytes]) -> bytes:
    """One of `originals` with some of its bytes changed, lost, doubled or out of place."""
    content = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        length = draw(st.sampled_from([1, 2, 4, 8, 16, 64, 1024]))
        change = draw(
            st.sampled_from(
                ["flip", "number", "number", "cut", "drop", "double", "insert", "splice"]
            )
        )
        if change == "flip" and at < len(content):
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif change == "number":
            width = draw(st.sampled_from([1, 2, 4, 8]))
            number = draw(st.sampled_from(_NUMBERS)) % (1 << 8 * width)
            content[at : at + width] = number.to_bytes(
                width, draw(st.sampled_from(["little", "big"]))
            )
        elif change == "cut":
            del content[at:]
        elif change == "drop":
            del content[at : at + length]
        elif change == "double":
            content[at:at] = content[at : at + length]
        elif change == "insert":
            content[at:at] = draw(st.binary(min_size=1, max_size=8)) * draw(
                st.sampled_from([1, 1, 100])
            )
        elif change == "splice":
            other = draw(st.sampled_from(originals))
            start = draw(st.integers(0, len(other)))
            content[at : at + length] = other[start : start + length]
    return bytes(content)


@dataclass
class _Literal:
    text: str


class _Object(list[tuple[str, Any]]):
    """Keys and values in order, so that a key may stand there twice."""


def _parsed(content: bytes) -> Any:
    return json.loads(content, object_pairs_hook=_Object)


def _text(value: Any) -> str:
    if isinstance(value, _Literal):
        return value.text
    if isinstance(value, _Object):
        return "{" + ", ".join(f"{json.dumps(key)}: {_text(each)}" for key, each in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return json.dumps(value)


def _containers(value: Any) -> list[list[Any]]:
    if not isinstance(value, list):
        return []
    inside = [each for _, each in value] if isinstance(value, _Object) else value
    return [value, *(found for each in inside for found in _containers(each))]


@st.composite
def mangled_json(draw: st.DrawFn, originals: Sequence[bytes]) -> bytes:
    """One of `originals`, with keys or values changed, lost or doubled; or with bytes changed."""
    if draw(st.integers(0, 5)) == 0:
        return draw(mangled(originals))
    content = _parsed(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 3))):
        places = [place for place in _containers(content) if place]
        if not places or draw(st.integers(0, 40)) == 0:
            return draw(st.sampled_from(_LITERALS)).encode()
        place = draw(st.sampled_from(places))
        index = draw(st.integers(0, len(place) - 1))
        change = draw(st.sampled_from(["value", "value", "value", "drop", "double", "swap", "key"]))
        other = draw(st.sampled_from(places))
        literal = _Literal(draw(st.sampled_from(_LITERALS)))
        if change == "drop":
            del place[index]
        elif change == "double":
            place.append(place[index])
        elif isinstance(place, _Object):
            key, value = place[index]
            key = (
                draw(st.sampled_from(["", "type", "a" * 300, "name", "\0", "../x", "low", "meta"]))
                if change == "key"
                else key
            )
            taken = (
                deepcopy(other[draw(st.integers(0, len(other) - 1))]) if change == "swap" else None
            )
            value = (
                literal
                if change == "value"
                else taken[1]
                if isinstance(taken, tuple)
                else value
                if taken is None
                else taken
            )
            place[index] = (key, value)
        else:
            place[index] = literal
    return _text(content).encode("utf-8", "surrogatepass")


@st.composite
def mangled_table(draw: st.DrawFn, originals: Sequence[bytes]) -> bytes:
    """One of `originals`, CSV, with cells, rows or columns changed, lost or doubled; or with bytes
    changed."""
    if draw(st.integers(0, 3)) == 0:
        return draw(mangled(originals))
    rows = list(csv.reader(io.StringIO(draw(st.sampled_from(originals)).decode())))
    for _ in range(draw(st.integers(1, 3))):
        index = draw(st.integers(0, len(rows) - 1))
        row = list(rows[index])
        column = draw(st.integers(0, max(0, len(row) - 1)))
        change = draw(
            st.sampled_from(["cell", "cell", "cell", "column", "drop", "add", "double", "lose"])
        )
        cell = draw(st.sampled_from(_CELLS))
        if change == "cell" and row:
            row[column] = cell
        elif change == "column":
            rows = [
                [*each[:column], cell, *each[column + 1 :]] if number else each
                for number, each in enumerate(rows)
            ]
            continue
        elif change == "drop":
            del row[column : column + 1]
        elif change == "add":
            row.append(cell)
        elif change == "double":
            rows.insert(index, row)
        elif change == "lose" and len(rows) > 1:
            del rows[index]
            continue
        rows[index] = row
    text = io.StringIO()
    csv.writer(text, lineterminator=draw(st.sampled_from(["\n", "\r\n"]))).writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")

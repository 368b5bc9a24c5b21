"""Parse JSON that people write, and say where it is wrong and why."""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

_NUMBERS_OF_PYTHON = re.compile(r'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)')
_WORDS = {
    "True": "true",
    "False": "false",
    "None": "null",
    "undefined": "null",
    "NULL": "null",
    "TRUE": "true",
    "FALSE": "false",
}


class Flaw(NamedTuple):
    """A mistake in a text that should be JSON. line, column: from 1. excerpt: the line."""

    what: str
    line: int
    column: int
    excerpt: str


class NotJsonError(ValueError):
    """The text is not JSON."""

    def __init__(self, flaw: Flaw) -> None:
        where = f"line {flaw.line}, column {flaw.column}" + (
            f": {flaw.excerpt}" if flaw.excerpt else ""
        )
        super().__init__(f"{flaw.what}): {where}")
        self.flaw = flaw


def parse(
    text: str, *, allow_nan: bool, pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None
) -> Any:
    """Return the content of a JSON text. allow_nan: whether to accept NaN and Infinity, which
    programs write although JSON does not have them.

    pairs_hook: makes each object from its pairs. Errors: NotJsonError; ValueError for a number with
    too many digits; RecursionError.
    """
    try:
        return json.loads(
            text, object_pairs_hook=pairs_hook, parse_constant=None if allow_nan else _refuse
        )
    except json.JSONDecodeError as error:
        place, what = _explained(text, error)
    except _ConstantError as error:
        place = next((match.start() for match in _NUMBERS_OF_PYTHON.finditer(text) if match[1]), 0)
        what = f"it holds {error}"
    line_start = text.rfind("\n", 0, place) + 1
    line = text[line_start:].split("\n", 1)[0]
    column = place - line_start + 1
    excerpt = (
        line.strip()
        if len(line) <= 60
        else text[max(line_start, place - 30) : place + 30].split("\n")[0].strip()
    )
    raise NotJsonError(Flaw(what, text.count("\n", 0, place) + 1, column, excerpt))


class _ConstantError(Exception):
    pass


def _refuse(constant: str) -> NoReturn:
    raise _ConstantError(constant)


def _explained(text: str, error: json.JSONDecodeError) -> tuple[int, str]:
    """Return the position to look at, and what is wrong there."""
    place = error.pos + len(text[error.pos :]) - len(text[error.pos :].lstrip())
    rest = text[place:]
    before = text[:place].rstrip()
    if not text.strip():
        return 0, "it is empty"
    if error.msg.startswith("Illegal trailing comma"):  # from Python 3.13 on
        place, rest, before = _after_comma(text, error.pos)
    if rest[:1] in ("}", "]") and before.endswith(","):
        return len(before) - 1, f'there is a comma before "{rest[0]}"; take it away'
    if rest.startswith(("//", "/*", "#")):
        return place, "JSON has no comments; take it away"
    if rest.startswith("'"):
        return place, "texts stand in double quotes, not in single ones"
    if rest[:1] in "“”„‘’«»" and rest:
        return place, f'texts stand in straight double quotes ("), not in {rest[0]}'
    if word := re.match(r"[A-Za-z_$][\w$.-]*", rest):
        if other := _WORDS.get(word[0]):
            return place, f"{word[0]} is written {other}"
        return place, f"{word[0][:30]} should stand in double quotes"
    if not rest:
        return len(before), 'it ends too early; a "}", "]" or quote is missing'
    if error.msg.startswith("Invalid control character"):
        return error.pos, "a text runs over the end of its line; its closing quote is missing"
    if error.msg.startswith("Expecting ',' delimiter"):
        return place, "a comma is missing before this"
    if error.msg.startswith("Extra data"):
        return place, "this stands after the end"
    return place, error.msg[0].lower() + error.msg[1:]


def _after_comma(text: str, comma: int) -> tuple[int, str, str]:
    rest = text[comma + 1 :].lstrip()
    place = len(text) - len(rest)
    return place, rest, text[: comma + 1]

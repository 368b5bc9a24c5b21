"""Texts from others in tables, made safe: a spreadsheet takes what begins with = + - or @ for a
formula, and runs it when the table is opened.

Such a text is written with an apostrophe before it, as spreadsheets themselves mark text, and such
a file name as `./` and the name, which names the same file. Reading a table removes both again.
"""

import re
from typing import Any

FILE_NAME = "file_name"
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_MARKED = re.compile(r"'+[=+\-@\t\r]")
_MARKED_NAME = re.compile(r"\./[=+\-@\t\r]")


def as_cell(value: Any, column: str) -> Any:
    """Return the value as it is written into the column.

    >>> as_cell("=1+1", "source"), as_cell("-3.5", "source"), as_cell("=x.wav", "file_name")
    ("'=1+1", '-3.5', './=x.wav')
    """
    if not isinstance(value, str) or not _FORMULA.match(value) or _is_number(value):
        return value
    if column == FILE_NAME:
        return value if value.startswith("'") else f"./{value}"
    return f"'{value}"


def from_cell(value: Any, column: str) -> Any:
    """Return the value that `as_cell` was given.

    >>> from_cell("'=1+1", "source"), from_cell("'tis", "source"), from_cell("./=x.wav", "file_name")
    ('=1+1', "'tis", '=x.wav')
    """
    if not isinstance(value, str):
        return value
    if column == FILE_NAME:
        return value[2:] if _MARKED_NAME.match(value) else value
    return value[1:] if _MARKED.match(value) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

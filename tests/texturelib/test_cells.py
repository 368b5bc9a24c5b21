"""What strangers called their files and themselves is no formula in a spreadsheet, and comes back
as it was."""

import csv
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from texturelib.files import read_table, write_table

TEXTS = st.text("=+-@'./\tax1 ", max_size=6) | st.sampled_from(
    ["=HYPERLINK(1)", "'=1", "''=1", "-drum", "@home", "+1", "-2.5"]
)
NAMES = TEXTS.filter(lambda name: name.strip() and not name.startswith("./"))


def starts_a_formula(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    return False


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NAMES, TEXTS), min_size=1, max_size=4))
@example([("=cmd|' /C calc'!A0.wav", "=1+1"), ("'=1.wav", "'=1+1"), ("-x.wav", "'")])
def test_no_cell_begins_a_formula_and_every_text_comes_back(
    tmp_path: Path, rows: list[tuple[str, str]]
) -> None:
    table = pd.DataFrame(rows, columns=["file_name", "origin"])
    path = tmp_path / "a.csv"
    write_table(path, table)
    with path.open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not any(starts_a_formula(cell) for cell in cells)
    back = read_table(path, ("file_name", "origin"))
    assert back["file_name"].tolist() == table["file_name"].tolist()
    assert back["origin"].fillna("").tolist() == table["origin"].tolist()


def test_a_file_name_that_would_be_a_formula_still_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "=1+1.wav").write_bytes(b"a")
    write_table(tmp_path / "a.csv", pd.DataFrame({"file_name": ["=1+1.wav"]}))
    assert (tmp_path / (tmp_path / "a.csv").read_text().splitlines()[1]).read_bytes() == b"a"

"""What a person sees of the labels, read back from the page as a browser would."""

import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from texturelib.dataset import write_dataset

HOSTILE = ["<script>alert(1)</script>", '" onload="alert(1)', "$\\frac{$x$", "ra\u0436te & more"]
# Of elements that hold nothing, and so are never closed.
VOID = {"meta", "br", "img"}


class Page(HTMLParser):
    """The page's text, cells, tags and addresses. Refuses tags that are not closed in their
    order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: set[str] = set()
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses |= {value for name, value in attrs if name in ("src", "href")}
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def row(self, first: str) -> list[str]:
        """Return the cells of the first row whose first cell begins so, white space as a browser
        shows it."""
        [row, *_] = [row for row in self.rows if row and " ".join(row[0].split()).startswith(first)]
        return [" ".join(cell.split()) for cell in row]


@pytest.fixture
def page_of(tmp_path, command):
    """Analyse a table of labels. -> the page."""

    def analyse(labels: pd.DataFrame, controls: list[dict]) -> Page:
        table = labels.copy()
        table.insert(0, "file_name", [f"audio/{index}.wav" for index in range(len(table))])
        write_dataset(tmp_path / "set", table, sample_rate=22050, seconds=0.1, controls=controls)
        path = tmp_path / "synthesis.json"
        path.write_text(json.dumps({"output": "out", "labelled": "set"}))
        assert command("analyse", path)[0] == 0
        assert (tmp_path / "out/analysis/histograms.png").is_file()
        return Page((tmp_path / "out/analysis/index.html").read_text(encoding="utf-8"))

    return analyse


def control(
    name: str, unit: str = "", low: float = 0.0, high: float = 1.0, curve: str = "linear"
) -> dict:
    return {"name": name, "unit": unit, "low": low, "high": high, "curve": curve}


def test_the_page_shows_each_number_and_what_it_means_in_the_controls_unit(page_of):
    labels = pd.DataFrame(
        {"rate": [0.0, 0.25, 0.5, 0.75, 1.25], "depth": [0.5, 0.4, 0.3, 0.2, 0.1]}
    )
    page = page_of(labels, [control("rate", "drops/s", 1, 16, "exponential"), control("depth")])
    # 16 ** label drops/s: 1, 2, 4, 8 and 32; the mean label is 0.55, and 16 ** 0.55 = 4.59.
    assert page.row("rate")[0] == "rateunit: drops/s"
    assert page.row("rate")[2:8] == ["0.0001", "0.2502", "0.5004", "0.7508", "1.25032", "0.5504.59"]
    assert page.row("rate")[9] == "20.0%"  # one of five is outside of 0..1
    assert page.row("depth")[0] == "depth"  # it has no unit
    assert page.row("depth")[2:8] == ["0.100", "0.200", "0.300", "0.400", "0.500", "0.300"]
    assert "1 of 5 clips have a label outside 0..1" in " ".join(page.text.split())


def test_the_page_recommends_what_the_numbers_recommend_and_says_why(page_of):
    spread, crowded = np.linspace(0, 1, 20), np.append(np.full(18, 0.5), [0.0, 1.0])
    page = page_of(
        pd.DataFrame({"rate": crowded, "depth": spread}), [control("rate"), control("depth")]
    )
    text = " ".join(page.text.split())
    assert "Why depth?" in text
    # Two clips in each of ten bins; 18 in one and one in each of two others, whose median is one.
    assert "Balanced by it, 20 of 20 clips stay" in text
    assert page.row("depth")[-2:] == ["1.000", "100.0%20"]
    assert page.row("rate")[-1] == "15.0%3"


def test_correlations_are_told_by_sign_and_the_strongest_is_named(page_of):
    line = np.linspace(0, 1, 11)
    labels = pd.DataFrame({"a": line, "b": 1 - line, "c": (line - 0.5) ** 2, "same": 0.5})
    page = page_of(labels, [control(name) for name in labels.columns])
    [*_, in_table] = [row for row in page.rows if row and row[0] == "a"]
    assert in_table == ["a", "+1.00", "−1.00", "0.00", "–"]
    assert "Strongest: a and b (−1.00)" in " ".join(page.text.split())
    assert "same: the same in all clips" in " ".join(page.text.split())


@pytest.mark.parametrize("n_clips", [1, 3])
def test_labels_that_do_not_vary_have_a_page_too(page_of, n_clips):
    page = page_of(pd.DataFrame({"rate": [0.3] * n_clips}), [control("rate", "Hz", 1, 100)])
    assert "No label varies" in page.text
    assert "Why" not in page.text
    assert page.row("rate")[-1] == "–"


@pytest.mark.pictures
def test_names_and_units_of_strangers_are_text_and_nothing_else(page_of):
    labels = pd.DataFrame({name: np.random.default_rng(0).uniform(size=9) for name in HOSTILE})
    page = page_of(
        labels,
        [
            control(name, "<b onclick=x>", 1, 10) | {"description": "<img src=//x>"}
            for name in HOSTILE
        ],
    )
    assert "script" not in page.tags
    assert not any(name.startswith("on") for name in page.attributes)
    assert page.addresses == {
        "histograms.png",
        "statistics.json",
        "histograms.csv",
        "correlations.csv",
    }
    for name in HOSTILE:
        assert page.row(name)[0] == f"{name}<img src=//x>unit: <b onclick=x>"


def test_a_label_too_large_for_the_controls_unit_is_shown_without_it(page_of):
    labels = pd.DataFrame({"rate": [0.0, 0.5, 1000.0]})
    page = page_of(labels, [control("rate", "Hz", 1.0, 1e6, "exponential")])
    assert page.row("rate")[4:7] == ["0.5001000", "500.250", "1000.000"]


@pytest.mark.slow
def test_of_many_controls_the_page_shows_the_first_correlations_and_the_table_beside_it_all(
    page_of, tmp_path
):
    names = [f"control_{index}" for index in range(60)]
    page = page_of(
        pd.DataFrame(np.random.default_rng(0).random((9, 60)), columns=names),
        [control(name) for name in names],
    )
    # 40 and a corner.
    assert len(next(row for row in page.rows if row[:2] == ["", "control_0"])) == 41
    assert "with those of 20 more controls" in page.text
    assert len(pd.read_csv(tmp_path / "out/analysis/correlations.csv")) == 60

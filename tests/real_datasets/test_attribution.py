"""ATTRIBUTION.md says who recorded what the set is made of, and nothing in it is more than text and
links."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from real_datasets.attribution import attribution
from real_datasets.sources import Recording

HOSTILE = [
    "rain\n\n# Attribution of another\n- me",
    "rain\r## CC0",
    "two\u2028lines\x85and\x0bmore\x1b[2J",
    "<script>alert(1)</script>",
    "<!-- ",
    "&lt;img src=x onerror=alert(1)&gt;",
    "](javascript:alert(1)) [x",
    "[x](javascript:alert(1))",
    "![x](https://tracker.example/x.png)",
    "[x]: https://example.org",
    "`code` **bold** _it_ ~~gone~~ ||",
    "```",
    "~~~",
    "- a list",
    "+ a list",
    "01. rain",
    "1) rain",
    "===",
    "# heading",
    "> quote",
    "ends with a backslash \\",
    "\\[x](y)",
    "\u202eniar",
]
URLS = [
    "https://freesound.org/s/1/",
    "javascript:alert(1)",
    "JAVASCRIPT:alert(1)",
    "data:text/html,<script>",
    "https://example.org/) [x](javascript:alert(1)",
    "https://example.org/\\",
    "https://example.org/ x",
    "https://example.org/\n# x",
    "https://example.org/<b>",
    "https://example.org/\u202e",
    "file:///etc/passwd",
    "//example.org",
    "",
]


def recording(**told: str) -> Recording:
    return Recording(**{"name": "rain.wav", "path": Path("rain.wav"), **told})


ESCAPED = re.compile(r"\\([^\w\s]|_)")  # what Markdown reads as a plain character
LINK = re.compile(r"\[([^\[\]]*)\]\((https?://[^\s<>()\\]+)\)")


def assert_is_headings_and_items(page: str, n_recordings: int) -> None:
    """Every line is one of ours, and what is left in it without our links and what is escaped has
    no meaning to Markdown."""
    title, blank, introduction, *lines = page.removesuffix("\n").split("\n")
    assert (title, blank) == ("# Attribution", "")
    assert introduction == f"The clips of this set were cut from {n_recordings} recordings."
    assert page.isprintable() or set(
        filter(lambda character: not character.isprintable(), page)
    ) == {"\n"}
    assert len([line for line in lines if line.startswith("- ")]) == n_recordings
    for line in lines:
        assert line == "" or line.startswith(("- ", "## "))
        text = LINK.sub(r"\1", ESCAPED.sub("x", line[3:] if line.startswith("## ") else line[2:]))
        assert not re.search(r"[\[\]<>`*_|~#\\]", text), line
        assert not re.search(r"&#?\w+;", text), line
        assert not re.match(r"([-+=]|\d+[.)])", text), line


@pytest.mark.parametrize(
    "field", ["name", "title", "author", "licence", "url", "gen_ai_preference"]
)
@pytest.mark.parametrize("text", [*HOSTILE, *URLS[1:-1]])
def test_nothing_that_a_stranger_wrote_breaks_out_of_its_line_or_becomes_a_link(
    field: str, text: str
) -> None:
    page = attribution(
        [recording(**{field: text}), recording(name="b.wav", title="brook", licence="CC0")]
    )
    assert_is_headings_and_items(page, 2)


ANY_TEXT = st.one_of(
    st.sampled_from(HOSTILE),
    st.text("[]()<>\\`*_~#-+1. \n&;!ab:/", max_size=12),
    st.text(max_size=8),
)


@given(
    told=st.lists(
        st.fixed_dictionaries(
            {
                "name": ANY_TEXT.filter(str.strip),
                "title": ANY_TEXT,
                "author": ANY_TEXT,
                "licence": ANY_TEXT,
                "gen_ai_preference": ANY_TEXT,
                "url": st.one_of(
                    st.sampled_from(URLS), ANY_TEXT.map("https://example.org/{}".format)
                ),
            }
        ),
        min_size=1,
        max_size=4,
    )
)
@example(
    told=[
        {"name": "1", "title": "\\", "author": "](x)", "licence": "", "url": "https://example.org/"}
    ]
)
def test_whatever_recordings_are_called_the_page_is_headings_and_a_line_for_each(
    told: list[dict[str, str]],
) -> None:
    assert_is_headings_and_items(attribution([recording(**each) for each in told]), len(told))


@pytest.mark.parametrize("url", URLS)
def test_only_an_address_of_the_web_becomes_a_link(url: str) -> None:
    line = attribution([recording(title="rain", url=url)]).splitlines()[-1]
    expected = "[rain](https://freesound.org/s/1/)" if url == URLS[0] else "rain"
    assert line == f"- {expected} (rain.wav)"


def test_recordings_stand_under_their_licences_and_those_without_one_at_the_end() -> None:
    page = attribution(
        [
            recording(name="d.wav"),
            recording(name="c.wav", licence="CC0"),
            recording(
                name="b.wav", licence="BY", author="Ann", title="Brook", url="https://example.org/b"
            ),
            recording(name="a.wav", licence="CC0", author="Bob", gen_ai_preference="no-gen-ai"),
        ]
    )
    assert (
        page
        == """# Attribution

The clips of this set were cut from 4 recordings.

## BY

- [Brook](https://example.org/b) by Ann (b.wav)

## CC0

- a.wav by Bob; wish about generative AI: no-gen-ai
- c.wav

## No licence known

- d.wav
"""
    )


def test_every_recording_with_a_segment_in_the_set_is_named_and_no_other(
    record: Callable[..., Path], cut: Callable[..., Path], noise: Callable[..., Any], tmp_path: Path
) -> None:
    brook = record("brook.wav", noise(2))
    # The same sound: all of its segments are duplicates.
    record("copy of brook.wav", brook.read_bytes())
    record("fire.wav", noise(1))
    record("silent.wav", 0 * noise(1))
    record("text.wav", b"Dear diary")
    record("unwanted.wav", noise(1))
    tags = tmp_path / "tags.csv"
    tags.write_text(
        "file_name,tags,licence,author,title,url\n"
        'brook.wav,a,CC BY 4.0,Ann,"A brook, ""live""",https://example.org/1\n'
        "copy of brook.wav,a,CC BY 4.0,Thief,Mine,https://example.org/2\n"
        "fire.wav,a,CC0,007,NA,\n"
        "silent.wav,a,CC0,Bob,,\ntext.wav,a,CC0,Bob,,\nunwanted.wav,b,CC0,Bob,,\n"
    )
    dataset = cut(
        f"source.tags_from={tags}",
        'tags={"policy": "at_least_all", "wanted": ["a"]}',
        "max_rejected=0.9",
    )
    lines = (dataset / "ATTRIBUTION.md").read_text().splitlines()
    assert [line for line in lines if line.startswith(("#", "-"))] == [
        "# Attribution",
        "## CC BY 4.0",
        '- [A brook, "live"](https://example.org/1) by Ann (brook.wav)',
        "## CC0",
        "- NA by 007 (fire.wav)",
    ]

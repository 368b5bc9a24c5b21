"""CONTRIBUTING.md leads a newcomer to files that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
JOBS = {
    row.split("|")[1].strip(): row
    for row in TEXT.splitlines()
    if row.startswith("| ") and "`" in row
}


def files_in(text: str) -> list[str]:
    return re.findall(r"`([\w.]+/[\w./]+)`", text)


def test_the_table_tells_where_ten_jobs_are_done():
    assert len(JOBS) == 10
    assert all(files_in(row.split("|")[2]) for row in JOBS.values())


@pytest.mark.parametrize("path", sorted(set(files_in(TEXT))))
def test_every_file_that_is_named_is_there(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#\s]+)", TEXT))
def test_every_link_leads_to_a_file(link):
    assert (ROOT / link).exists()


# A word of the code that the job is about, so that a file which keeps its name and loses its job
# does not pass.
@pytest.mark.parametrize(
    ("job", "word"),
    {
        "the silence rule": "is_silent",
        "a new synthesiser": "class Synthesiser",
        "the clipping of labels": "outliers",
        "a control of rain": "available",
        "a plot": "savefig|figure",
        "the sounds on the page": "album.sound",
        "a column of `metadata.csv`": "lowered_db",
        "how a stopped job resumes": "journal",
        "an option of a command": "typer.Option",
        "the extractor's loss": "class SupervisedLoss",
    }.items(),
)
def test_the_job_is_done_in_the_file_that_is_named(job, word):
    [path] = files_in(JOBS[job].split("|")[2])
    assert re.search(word, (ROOT / path).read_text(encoding="utf-8"))

"""The page tells of any results, whatever titles and files are called, and whoever recorded."""

import shutil

import pandas as pd
import pytest

from texture_pipeline.page import make_page

NAMES = ["<b>&.wav", "<script>alert(1)</script>.mp3", 'a "quoted" name.ogg']


@pytest.fixture(scope="module")
def made(whole_way, small_stages, tmp_path_factory):
    """The folder of a page on a person's own recordings, which are called NAMES; simulated ones lie beside, unused."""
    results = tmp_path_factory.mktemp("own") / "results #1?"
    shutil.copytree(whole_way.results, results)
    shutil.rmtree(results / "page")
    own = results.parent / "own recordings"
    own.mkdir()
    stages = small_stages(results)
    stages["real"] = stages["real"].model_copy(update={"source": stages["real"].source.model_copy(update={"path": own})})

    for folder in (results / "real", results / "adaptation" / "labels"):
        table = pd.read_csv(folder / "metadata.csv")
        table["source"] = [NAMES[index % len(NAMES)] for index in range(len(table))]
        old = table["file_name"][0]
        (folder / old).rename(folder / "audio" / "<b>&_1.wav")
        table.loc[0, "file_name"] = "audio/<b>&_1.wav"
        table.loc[1, "source"] = "bach.wav"
        # One name in Latin-1, which a table from elsewhere may hold.
        (folder / "metadata.csv").write_bytes(table.to_csv(index=False).encode().replace(b"bach.wav", b"b\xe4ch.wav"))
    pd.DataFrame([{"file": "<i>.wav", "reason": "is <empty> & 'nothing'"}]).to_csv(results / "real" / "rejected.csv", index=False)
    return make_page(stages, results, "<script>alert('title')</script>").parent


def test_titles_and_names_are_shown_as_they_are_and_never_as_markup(made, read_page):
    html = (made / "index.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "<b>&" not in html
    page = read_page(made)
    assert page.text.count("<script>alert('title')</script>") == 2  # in <title> and <h1>
    shown = {row[0] for row in page.tables["2 Recordings"]}
    assert {*NAMES, "b?ch.wav"} <= shown
    assert ["<i>.wav", "is <empty> & 'nothing'"] in page.tables["2 Recordings"]
    assert "<b>&_1" in page.text


def test_links_are_plain_whatever_folders_are_called(made, read_page):
    links = [link for link in read_page(made).links if not link.startswith("#")]
    assert links
    for link in links:
        assert not set(link) & set("#?%& <>\"'")
        assert (made / link).is_file()


def test_own_recordings_are_not_called_simulated_and_have_no_truth(made, read_page):
    page = read_page(made)
    assert "simulated" not in page.text
    assert "How right the labels are" not in page.tables
    assert "Labels before and after adaptation" in page.tables

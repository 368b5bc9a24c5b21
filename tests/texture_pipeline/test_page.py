"""The page tells of any results, whatever titles and files are called, whoever recorded, and
however it was adapted."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from texture_pipeline.page import make_page
from texturelib.errors import TextureError
from texturelib.files import write_text
from texturelib.outputs import fingerprint

NAMES = ["<b>&.wav", "<script>alert(1)</script>.mp3", 'a "quoted" name.ogg']


@pytest.fixture(scope="module", autouse=True)
def sketched() -> Iterator[None]:
    """Clips have no pictures here: to draw them takes longer than all else, and `whole_way` has
    them."""

    def sketch(path: Path, *_: object) -> None:
        write_text(path, "no picture")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("texturelib.pictures.spectrogram_picture", sketch)
        yield


@pytest.fixture(scope="module")
def made(whole_way, small_stages, tmp_path_factory):
    """The folder of a page on a person's own recordings, which are called NAMES; simulated ones lie
    beside, unused."""
    results = tmp_path_factory.mktemp("own") / "results #1?"
    shutil.copytree(whole_way.results, results)
    shutil.rmtree(results / "page")
    own = results.parent / "own recordings"
    own.mkdir()
    stages = small_stages(results)
    stages["real"] = stages["real"].model_copy(
        update={"source": stages["real"].source.model_copy(update={"path": own})}
    )

    for folder in (results / "real", results / "adaptation" / "labels"):
        table = pd.read_csv(folder / "metadata.csv")
        table["source"] = [NAMES[index % len(NAMES)] for index in range(len(table))]
        old = table["file_name"][0]
        (folder / old).rename(folder / "audio" / "<b>&_1.wav")
        table.loc[0, "file_name"] = "audio/<b>&_1.wav"
        table.loc[1, "source"] = "bach.wav"
        # One name in Latin-1, which a table from elsewhere may hold.
        (folder / "metadata.csv").write_bytes(
            table.to_csv(index=False).encode().replace(b"bach.wav", b"b\xe4ch.wav")
        )
    pd.DataFrame([{"file": "<i>.wav", "reason": "is <empty> & 'nothing'"}]).to_csv(
        results / "real" / "rejected.csv", index=False
    )
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
    assert "Hidden truth" not in page.tables
    assert "Labels before and after adaptation" in page.tables
    assert "nobody knows these recordings’ true controls" in page.text
    # The one measure that needs no truth is there, and not called one of two.
    assert "The slow-down test" in page.tables
    assert "Two measures" not in page.text


@pytest.fixture
def remade(whole_way, small_stages, read_page, tmp_path):
    """Return the page of the whole way after a change of what stage 3 has written."""

    def remake(change: Callable[[Path], None]):
        shutil.copytree(whole_way.results, tmp_path / "results", dirs_exist_ok=True)
        shutil.rmtree(tmp_path / "results" / "page")
        change(tmp_path / "results" / "adaptation")
        return read_page(
            make_page(small_stages(tmp_path / "results"), tmp_path / "results", "a title").parent
        )

    return remake


def update(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_an_adaptation_that_was_not_kept_is_told_of_with_the_reason(remade):
    page = remade(
        lambda stage: update(
            stage / "adapted" / "metrics.json", is_kept=False, why="<all> labels were alike"
        )
    )
    assert (
        "Adaptation was not kept by a rule that sees no truth: <all> labels were alike."
        in page.text
    )
    assert "Both are the same, as adaptation was not kept." in page.text
    assert "teaches just this" not in page.text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("extractor/metrics.json", "{}"),
        ("extractor/metrics.json", "[]"),
        ("labels/summary.json", '{"slow_down": 1}'),
        ("labels/summary.json", '{"slow_down": {"slopes": {"a": {"by_the_law": "steep"}}}}'),
    ],
)
def test_what_a_stage_wrote_and_was_damaged_is_one_sentence(remade, name, content):
    with pytest.raises(
        TextureError,
        match=r"results: what a stage wrote there is damaged, so it cannot be shown \(\w+: .+\)$",
    ):
        remade(lambda stage: (stage / name).write_text(content))


def test_only_the_thesiss_method_is_said_to_play_against_the_classifier(remade):
    assert "plays against it" not in remade(lambda _: None).text
    page = remade(lambda stage: update(stage / "adapted" / "metrics.json", method="adda_frozen"))
    assert (
        "by what the extractor’s encoder made of them, and adaptation plays against it."
        in page.text
    )


def test_where_nothing_was_trained_there_is_no_plot_of_a_loss(remade):
    def change(stage: Path) -> None:
        (stage / "adapted" / "loss.png").unlink()
        update(stage / "adapted" / "metrics.json", method="none")

    page = remade(change)
    assert [link for link in page.links if "_loss" in link] == [
        "pictures/extractor_loss.png",
        "pictures/classifier_loss.png",
        "pictures/synthesiser_loss.png",
        "pictures/synthesiser_loss_2.png",
    ]
    assert "Adaptation was kept" not in page.text


def without_laws(stage: Path) -> None:
    slow_down = {"n_clips": 42, "law_broken_by": {"before": None, "after": None}, "slopes": {}}
    update(stage / "labels" / "summary.json", slow_down=slow_down)
    (stage / "labels" / "slow_down.png").unlink()


def test_an_engine_without_laws_has_no_slow_down_test_and_the_page_says_so(remade):
    page = remade(without_laws)
    assert "There is no slow-down test: the engine “liquid” does not say" in page.text
    assert "The slow-down test" not in page.tables
    assert "when slowed down" not in page.text
    assert "How right they are" in page.text
    assert "Hidden truth" in page.tables


def test_where_intervals_are_not_known_there_are_none(remade):
    def change(stage: Path) -> None:
        update(stage / "extractor" / "metrics.json", intervals={})
        table = pd.read_csv(stage / "labels" / "metadata.csv")
        table.drop(columns=[name for name in table if name.endswith("_interval")]).to_csv(
            stage / "labels" / "metadata.csv", index=False
        )

    page = remade(change)
    assert "±" not in page.text
    assert "interval" not in page.text
    assert page.tables["Hidden truth"][0] == [
        "control",
        "before adaptation",
        "after",
        "always the mean",
    ]


def test_an_evaluation_that_has_not_ended_is_not_shown(remade):
    def change(stage: Path) -> None:
        (stage / "evaluation").mkdir()
        shutil.copy(stage / "labels" / "run.json", stage / "evaluation")
        update(stage / "evaluation" / "run.json", finished=False)
        (stage / "evaluation" / "report.md").write_text("# Evaluation\n\n## Old\n")

    page = remade(change)
    assert "Methods compared" not in page.text
    assert "#methods" not in page.links


def measure(stage: Path, **run: Any) -> None:
    """Leave what `conditioned-synthesis evaluate` would, or something like it."""
    synthesis = stage.parent / "synthesis"
    folder = synthesis / "evaluation"
    (folder / "sounds").mkdir(parents=True)
    (folder / "index.html").write_text("<audio src='sounds/1.wav'>")
    (folder / "evaluation.json").write_text('{"rows": []}')
    (folder / "sounds" / "1.wav").write_bytes(b"RIFF")
    shutil.copy(synthesis / "examples" / "run.json", folder)
    update(
        folder / "run.json",
        **{"inputs": {"synthesiser": fingerprint(synthesis / "synthesiser")}} | run,
    )


def test_a_synthesiser_that_was_measured_has_its_page_taken_along(remade, tmp_path):
    page = remade(measure)
    # The other is the instrument's.
    assert {"evaluation/index.html", "evaluation_2/index.html"} <= set(page.links)
    assert "How well it follows its sliders" in page.text
    assert (
        tmp_path / "results" / "page" / "evaluation" / "sounds" / "1.wav"
    ).read_bytes() == b"RIFF"


@pytest.mark.parametrize("run", [{"finished": False}, {"inputs": {"synthesiser": "another"}}])
def test_measures_that_have_not_ended_or_are_of_another_synthesiser_are_not_shown(remade, run):
    assert "evaluation_2/index.html" not in remade(lambda stage: measure(stage, **run)).links

"""From nothing to labelled, exported recordings and a page that tells of them: the demo in its
smallest size."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domain_adaptation.cli import app as stage_3
from texture_pipeline.stages import plan_jobs

COMMANDS = [
    "synthetic-datasets generate",
    "synthetic-datasets simulate-recordings",
    "real-datasets build",
    "domain-adaptation train-extractor",
    "domain-adaptation train-classifier",
    "domain-adaptation adapt",
    "domain-adaptation label",
    "conditioned-synthesis analyse",
    "conditioned-synthesis balance",
    "conditioned-synthesis export",
    "conditioned-synthesis augment",
    "conditioned-synthesis train",
    "conditioned-synthesis generate",
]
INSTRUMENT = [
    f"conditioned-synthesis {name}" for name in ("train", "linearise", "generate", "evaluate")
]
CONTROLS = ["avgRate", "minRadius", "maxRadius", "expRadius"]


@pytest.fixture(scope="module")
def page(whole_way, read_page):
    return read_page(whole_way.results / "page")


@pytest.fixture(scope="module")
def labels(whole_way) -> dict[str, pd.DataFrame]:
    """Labels before and after adaptation, and the truth: a column per control, a row per clip,
    alike in order."""
    folder = whole_way.results / "adaptation" / "labels"
    after = pd.read_csv(folder / "metadata.csv").set_index("file_name")
    before = pd.read_csv(folder / "labels_before.csv").set_index("file_name")
    hidden = pd.read_csv(whole_way.results / "recordings" / "hidden_controls.csv").set_index(
        "file_name"
    )
    truth = hidden.loc[after["source"]].set_index(after.index)
    return {
        "before": before.loc[after.index].filter(CONTROLS),
        "after": after.filter(CONTROLS),
        "truth": truth.filter(CONTROLS),
    }


def lines_about(out: str, folder: str) -> list[str]:
    return [line for line in out.splitlines() if re.match(rf"\S*/{folder}: ", line)]


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Return when every file and folder was last changed, and its inode (a replaced file has
    another)."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.stat().st_ino)
        for path in folder.rglob("*")
    }


def test_every_command_runs_once_in_order_and_the_end_names_results_and_page(whole_way):
    shown = [
        " ".join(line.split()[1:3]) for line in whole_way.out.splitlines() if line.startswith("$ ")
    ]
    assert shown == COMMANDS + INSTRUMENT
    *_, results, page = whole_way.out.splitlines()
    assert re.fullmatch(rf"results: +\S*{whole_way.results.name}", results)
    assert re.fullmatch(r"page: +\S*/page/index\.html", page)


def test_nothing_is_complained_about(whole_way):
    assert "Traceback" not in whole_way.err
    assert "Warning" not in whole_way.err


def test_the_pages_sounds_and_pictures_lie_in_its_own_folder_and_nothing_is_fetched_from_elsewhere(
    whole_way, page
):
    folder = whole_way.results / "page"
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert str(whole_way.results) not in text  # so the folder can be moved, and shown to others
    assert len(page.links) > 20
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
            continue
        assert re.fullmatch(r"[\w./-]+", link), "a plain relative path needs no quoting"
        assert not link.startswith("/")
        path = (folder / link).resolve()
        assert path.is_relative_to(folder)
        assert path.stat().st_size > 0


def test_the_page_says_that_the_recordings_are_simulated(page):
    assert "These recordings are simulated." in page.text


def test_the_page_has_the_share_of_labels_within_0_1_before_and_after(page, labels):
    shares = {when: ((table >= 0) & (table <= 1)).mean() for when, table in labels.items()}
    rows = {row[0]: row[1:3] for row in page.tables["Labels before and after adaptation"][1:]}
    for name in CONTROLS:
        assert rows[name] == [f"{shares['before'][name]:.1%}", f"{shares['after'][name]:.1%}"]
    whole = [f"{shares['before'].mean():.1%}", f"{shares['after'].mean():.1%}"]
    assert rows["all"] == whole
    assert " → ".join(whole) in page.text


def test_the_page_has_the_errors_against_the_hidden_controls(page, labels):
    truth = labels["truth"]
    errors = pd.DataFrame(
        {
            "before adaptation": (labels["before"] - truth).abs().mean(),
            "after": (labels["after"] - truth).abs().mean(),
            "always the mean": (truth - truth.mean()).abs().mean(),
        }
    )
    errors.loc["mean"] = errors.mean()
    [head, *rows] = page.tables["Hidden truth"]
    assert head == ["control", *errors.columns, "truths inside the 90 % interval"]
    assert [row[0] for row in rows] == [*CONTROLS, "mean"]
    for name, *figures, _ in rows:
        # four decimals are shown
        assert [float(figure) for figure in figures] == pytest.approx(
            errors.loc[name].tolist(), abs=0.51e-4
        )


def test_the_page_says_how_many_truths_lie_in_their_intervals(page, labels, whole_way):
    table = pd.read_csv(whole_way.results / "adaptation" / "labels" / "metadata.csv").set_index(
        "file_name"
    )
    widths = table[[f"{name}_interval" for name in CONTROLS]].set_axis(CONTROLS, axis=1)
    shares = ((labels["after"] - labels["truth"]).abs() <= widths).mean()
    shares.loc["mean"] = shares.mean()
    assert {row[0]: row[-1] for row in page.tables["Hidden truth"][1:]} == {
        name: f"{x:.1%}" for name, x in shares.items()
    }


def test_the_page_has_the_extractors_intervals(page, whole_way):
    intervals = json.loads(
        (whole_way.results / "adaptation" / "extractor" / "metrics.json").read_text()
    )["intervals"]
    [head, *rows] = page.tables["The extractor reads the controls from synthetic clips"]
    assert head[-2:] == ["90 % interval, mean", "truths inside"]
    assert {row[0]: row[-2:] for row in rows} == {
        name: [f"± {interval['mean_half_width']:.3f}", f"{interval['coverage']:.1%}"]
        for name, interval in intervals.items()
    }


def test_clips_run_from_the_lowest_label_to_the_highest_each_with_its_interval(
    page, labels, whole_way
):
    widths = pd.read_csv(whole_way.results / "adaptation" / "labels" / "metadata.csv").set_index(
        "file_name"
    )
    for name in CONTROLS:
        _, _, rest = page.text.partition(f"Recorded clips by {name}, from low to high ")
        shown = re.findall(r"(-?\d\.\d{3}) ± (\d+\.\d\d) ", rest)[:7]
        assert [float(label) for label, _ in shown] == sorted(float(label) for label, _ in shown)
        for place, clip in (
            (0, labels["after"][name].idxmin()),
            (-1, labels["after"][name].idxmax()),
        ):
            assert shown[place] == (
                f"{labels['after'][name][clip]:.3f}",
                f"{widths[f'{name}_interval'][clip]:.2f}",
            )


def test_the_page_says_how_the_recordings_were_adapted_and_why_that_was_kept(page, whole_way):
    metrics = json.loads(
        (whole_way.results / "adaptation" / "adapted" / "metrics.json").read_text()
    )
    assert metrics["is_kept"], "other tests compare labels before and after, which are then alike"
    assert (
        "method “scaling_law”. The whole extractor goes on learning from synthetic clips, while"
        in page.text
    )
    assert f"Adaptation was kept by a rule that sees no truth: {metrics['why']}." in page.text


def test_the_page_has_the_slow_down_test(page, whole_way):
    found = json.loads((whole_way.results / "adaptation" / "labels" / "summary.json").read_text())[
        "slow_down"
    ]["slopes"]
    [head, *rows] = page.tables["The slow-down test"]
    assert head == ["control", "by the law", "before adaptation", "after"]
    assert rows == [
        [name, *(f"{slope[when]:+.3f}" for when in ("by_the_law", "before", "after"))]
        for name, slope in found.items()
    ]
    # The radii share the largest law: a bubble's radius grows as fast as its pitch falls.
    assert (
        f"slope of minRadius when slowed down; by the law {found['minRadius']['by_the_law']:+.3f}"
        in page.text
    )
    assert {"pictures/labels_slow_down.png", "pictures/labels_by_source.png"} <= set(page.links)


def test_without_an_evaluation_no_methods_are_compared(page):
    assert "Methods compared" not in page.text


def test_the_true_controls_differ_from_recording_to_recording_and_from_the_labels(labels):
    # Otherwise the test above could not fail.
    assert (labels["truth"].nunique() > 10).all()
    assert (np.abs(labels["after"] - labels["truth"]).mean() > 1e-3).all()
    assert (np.abs(labels["after"] - labels["before"]).mean() > 1e-6).all()


def test_every_kept_segment_is_labelled(whole_way):
    kept = pd.read_csv(whole_way.results / "real" / "metadata.csv")
    labelled = pd.read_csv(whole_way.results / "adaptation" / "labels" / "metadata.csv")
    # 3 locations x 7 takes x 0.5 s in segments of 0.25 s, none of them silent.
    assert len(kept) == 42
    assert labelled["file_name"].tolist() == kept["file_name"].tolist()
    assert labelled["source"].tolist() == kept["source"].tolist()
    assert np.isfinite(labelled[CONTROLS].to_numpy()).all()


def test_only_the_maker_of_the_recordings_and_the_page_open_the_hidden_controls(whole_way):
    assert set(whole_way.hidden_readers) == {
        "synthetic_datasets simulate-recordings",
        "texture_pipeline configs",
    }


def test_the_hidden_controls_are_not_in_what_training_reads(whole_way):
    columns = set(pd.read_csv(whole_way.results / "real" / "metadata.csv").columns)
    hidden = set(pd.read_csv(whole_way.results / "recordings" / "hidden_controls.csv").columns)
    assert set(CONTROLS) < hidden
    assert columns & hidden == {"file_name"}


def test_the_second_time_nothing_is_done_again(whole_way, command):
    before = snapshot(whole_way.results)
    status, out, err = command(whole_way.configs)
    assert (status, err) == (0, "")
    assert out.count("done and unchanged") == len(COMMANDS + INSTRUMENT) + 1  # the page too
    assert snapshot(whole_way.results) == before


def test_a_dry_run_of_a_change_says_what_would_run_and_touches_nothing(whole_way, command):
    before = snapshot(whole_way.results)
    status, out, _ = command(
        whole_way.configs, "--dry-run", "--set", "adaptation.classifier.epochs=2"
    )
    assert status == 0
    assert lines_about(out, "extractor")[0].endswith("done and unchanged")
    n_files = sum(
        path.is_file() for path in (whole_way.results / "adaptation" / "classifier").rglob("*")
    )
    changed = f"(config changed: classifier.epochs 3 -> 2; would remove {n_files} files)"
    assert lines_about(out, "classifier")[0].endswith(changed)
    assert lines_about(out, "page") == []
    assert snapshot(whole_way.results) == before


@pytest.mark.parametrize(
    ("stage", "unit"), [("synthesis", "nats per sample"), ("instrument", "of texture statistics")]
)
def test_the_page_plays_what_each_control_does_to_each_instrument(page, whole_way, stage, unit):
    examples = pd.read_csv(whole_way.results / stage / "examples" / "examples.csv")
    # Of each control that differs between clips, its two ends and a sweep.
    assert len(examples) == 3 * examples["control"].nunique() > 0
    metrics = json.loads((whole_way.results / stage / "synthesiser" / "metrics.json").read_text())
    assert f"{metrics['validation_loss']:.3f} {unit}" in page.text


def test_the_instrument_was_measured_and_the_page_leads_there(page, whole_way):
    assert "evaluation/index.html" in page.links
    table = pd.read_csv(whole_way.results / "instrument" / "evaluation" / "evaluation.csv")
    rows = [
        "synthesiser",
        "linearised",
        "untrained",
        "labels shuffled",
        "held-out clips",
        "real halves",
        "white noise",
    ]
    assert list(table["synthesiser"].unique()) == rows
    assert table.query("synthesiser == 'untrained'")["error"].notna().all()


def test_a_dry_run_from_nothing_goes_through_every_command_and_makes_nothing(command, tmp_path):
    status, out, _ = command("configs/demo", "--dry-run", "--output", tmp_path / "results")
    assert status == 0
    # The demo's first synthesiser learns from what is exported, the others from what is augmented.
    augment = "conditioned-synthesis augment"
    commands = [each for each in COMMANDS if each != augment]
    assert [" ".join(line.split()[1:3]) for line in out.splitlines() if line.startswith("$ ")] == [
        *commands,
        augment,
        *INSTRUMENT,
        *INSTRUMENT,
    ]
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
def test_after_a_change_only_its_stage_and_what_follows_runs_again_also_in_results_that_were_moved(
    whole_way, command, tmp_path
):
    results = tmp_path / "moved"
    shutil.copytree(whole_way.results, results)
    before = snapshot(results)
    moved = (whole_way.configs, "--output", results)
    status, out, err = command(*moved, "--set", "synthesis.balance.bins=5")
    assert (status, err) == (0, "")
    changed = {"balanced", "mtcrnn", "synthesiser", "examples", "instrument", "evaluation", "page"}
    for folder in (
        "synthetic",
        "recordings",
        "real",
        "extractor",
        "classifier",
        "adapted",
        "labels",
        "analysis",
        *changed,
    ):
        [first, *_] = lines_about(out, folder)
        assert ("done and unchanged" in first) == (folder not in changed), first
    assert lines_about(out, "page")[0].endswith(
        "page: input changed: evaluation of instrument, examples of instrument, examples of synthesis, mtcrnn"
    )
    after = snapshot(results)
    is_replaced = {path for path in before.keys() & after.keys() if before[path] != after[path]}
    parts = ("balanced", "mtcrnn", "synthesiser", "examples")
    own = ("page", "instrument", *(f"synthesis/{part}" for part in parts))
    assert {path for path in is_replaced if not path.startswith(own)} == set()
    assert {
        "page/index.html",
        "synthesis/balanced/metadata.csv",
        "synthesis/synthesiser/model.safetensors",
    } <= is_replaced


@pytest.mark.slow
def test_after_an_evaluation_the_page_alone_is_made_anew_and_compares_the_methods(
    whole_way, command, read_page, tmp_path
):
    results = tmp_path / "evaluated"
    shutil.copytree(whole_way.results, results)
    moved = (whole_way.configs, "--output", results)
    jobs, _ = plan_jobs(whole_way.configs, (), None, results)
    [job] = [job for job in jobs if job.stage.name == "adaptation"]
    evaluation = {
        "methods": [{"type": "none"}, {"type": "adabn"}],
        "seeds": [1],
        "truth": str(results / "recordings" / "hidden_controls.csv"),
    }
    overrides = [*job.overrides, f"evaluation={json.dumps(evaluation)}"]
    stage_3(
        [
            "evaluate",
            str(job.path),
            *(word for override in overrides for word in ("--set", override)),
        ],
        standalone_mode=False,
    )

    status, out, err = command(*moved)
    assert (status, err) == (0, "")
    assert lines_about(out, "page")[0].endswith("page: input changed: evaluation")
    assert out.count("done and unchanged") == len(COMMANDS + INSTRUMENT)
    page = read_page(results / "page")
    [head, *rows] = page.tables["Simulated recordings"]
    assert head[:6] == ["synthetic clips", "method", *CONTROLS]
    assert [row[1] for row in rows] == ["none", "adabn", "oracle", "always the mean"]
    assert "#methods" in page.links
    assert "pictures/evaluation_simulated_recordings.png" in page.links
    assert "Measured on other clips" not in page.text

    # Other synthetic clips: what was measured with the old ones is still shown, and said to be old.
    status, out, err = command(*moved, "--set", "synthetic.seed=7")
    assert (status, err) == (0, "")
    page = read_page(results / "page")
    assert (
        "Measured on other clips than those above: since then, the synthetic clips have changed."
        in page.text
    )

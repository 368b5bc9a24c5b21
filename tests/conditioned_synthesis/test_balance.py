import json
import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conditioned_synthesis.config import Balance
from conditioned_synthesis.labels.balance import select
from conditioned_synthesis.labels.histogram import counts
from conditioned_synthesis.labels.table import normalise, read_labelled
from texturelib.dataset import read_dataset
from texturelib.errors import UsageError

LABELS = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=2, max_size=60).filter(
    lambda values: max(values) > min(values)
)


def table(values) -> pd.DataFrame:
    return pd.DataFrame(
        {"file_name": [f"audio/{index}.wav" for index in range(len(values))], "rate": values}
    )


@given(LABELS, st.integers(2, 12), st.integers(0, 3), st.integers(1, 5) | st.just("median"))
def test_every_kept_bin_has_exactly_n_clips_and_the_others_held_fewer(
    values, bins, seed, clips_per_bin
):
    settings = Balance(bins=bins, seed=seed, clips_per_bin=clips_per_bin)
    try:
        selection = select(table(values), ["rate"], settings)
    except UsageError:
        fullest = np.histogram(
            (np.array(values) - min(values)) / (max(values) - min(values)), bins, (0, 1)
        )[0].max()
        assert clips_per_bin != "median"
        # Numpy's bins may differ from ours by a clip that lies on an edge.
        assert clips_per_bin >= fullest
        return
    n = selection.clips_per_bin
    kept = counts(
        normalise(selection.metadata[["rate"]], selection.ranges)["rate"].to_numpy(), bins
    )
    assert kept.tolist() == [n if count >= n else 0 for count in selection.before]
    assert kept.tolist() == selection.after.tolist()
    assert selection.before.sum() == len(values)


@given(LABELS, st.integers(0, 3))
def test_the_kept_clips_are_clips_of_the_set_each_once_with_their_own_labels(values, seed):
    labelled = table(values)
    kept = select(labelled, ["rate"], Balance(seed=seed)).metadata
    assert kept["file_name"].is_unique
    theirs = labelled.set_index("file_name").loc[kept["file_name"]].reset_index()
    pd.testing.assert_frame_equal(kept.reset_index(drop=True), theirs)


@given(LABELS, st.integers(0, 3), st.randoms())
def test_the_same_seed_keeps_the_same_clips_whatever_the_order_of_the_rows(values, seed, random):
    labelled = table(values)
    order = list(range(len(values)))
    random.shuffle(order)
    first, second = (
        select(rows, ["rate"], Balance(seed=seed)).metadata
        for rows in (labelled, labelled.iloc[order])
    )
    assert list(first["file_name"]) == list(second["file_name"])


def test_another_seed_keeps_other_clips():
    labelled = table(np.random.default_rng(0).uniform(size=500))
    first, second = (
        select(labelled, ["rate"], Balance(seed=seed, clips_per_bin=10)) for seed in (0, 1)
    )
    assert set(first.metadata["file_name"]) != set(second.metadata["file_name"])


def test_the_median_is_that_of_the_bins_that_hold_clips_rounded_down():
    # Four bins with 1, 4, 0 and 3 clips, the last with the largest label: the median of 1, 3, 4 is
    # 3.
    odd = [0.0] + [0.3] * 4 + [0.9, 0.9, 1.0]
    assert select(table(odd), ["rate"], Balance(bins=4)).after.tolist() == [0, 3, 0, 3]
    # With 1, 4, 0 and 0 + 2 clips: the median of 1, 2, 4 is 2; with 1 and 4 in two bins, 2.5
    # becomes 2.
    even = [0.0] + [1.0] * 4
    assert select(table(even), ["rate"], Balance(bins=4)).clips_per_bin == 2


def test_without_a_name_the_control_nearest_to_flat_is_balanced(labelled):
    dataset = read_labelled(labelled)
    assert select(dataset.metadata, dataset.controls, Balance()).controls == ("radius",)
    assert select(dataset.metadata, dataset.controls, Balance(control="rate")).controls == ("rate",)


def test_several_controls_are_balanced_together_on_a_grid():
    rng = np.random.default_rng(0)
    labels = pd.DataFrame(
        {
            "rate": rng.uniform(size=400) ** 2,
            "radius": rng.uniform(size=400),
            "depth": rng.uniform(size=400),
        }
    )
    labels.insert(0, "file_name", [f"audio/{index}.wav" for index in range(400)])
    selection = select(
        labels,
        ["rate", "radius", "depth"],
        Balance(control=["rate", "radius"], bins=4, clips_per_bin=20),
    )
    assert selection.before.shape == (4, 4)
    assert selection.before.sum() == 400
    kept = normalise(
        selection.metadata[["rate", "radius"]],
        {name: selection.ranges[name] for name in ("rate", "radius")},
    )
    table, _, _ = np.histogram2d(kept["rate"], kept["radius"], bins=4, range=((0, 1), (0, 1)))
    assert (
        table.tolist()
        == np.where(selection.before >= 20, 20, 0).tolist()
        == selection.after.tolist()
    )
    n_kept = int((selection.before >= 20).sum())
    assert 4 <= n_kept < 16
    assert (
        f"{20 * n_kept} of 400 clips, 20 in each of {n_kept} bins of rate x radius ({16 - n_kept} of 16"
        in str(selection)
    )


def test_a_grid_is_reported_by_its_bins_that_hold_clips_and_drawn(config, command, tmp_path):
    words = (
        "--set",
        'balance.control=["rate", "radius"]',
        "--set",
        "balance.bins=3",
        "--set",
        "balance.clips_per_bin=2",
    )
    assert command("balance", config, *words)[0] == 0
    report = json.loads((tmp_path / "out/balanced/balance.json").read_text())
    assert report["controls"] == ["rate", "radius"]
    assert sum(a_bin["n_before"] for a_bin in report["bins"]) == 60
    assert all(a_bin["n_before"] > 0 and len(a_bin["bin"]) == 2 for a_bin in report["bins"])
    assert {tuple(a_bin["labels"]) for a_bin in report["bins"]} == {("rate", "radius")}
    assert (tmp_path / "out/balanced/histogram.png").stat().st_size > 0


@pytest.mark.parametrize(
    ("outliers", "n_clips", "lowest"), [("keep", 6, -0.5), ("clip", 6, 0.0), ("drop", 4, 0.1)]
)
def test_labels_outside_0_to_1_are_kept_or_clipped_or_their_clips_dropped(
    outliers, n_clips, lowest
):
    labelled = table([-0.5, 0.1, 0.4, 0.6, 0.9, 1.5]).assign(radius=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    selection = select(
        labelled,
        ["rate", "radius"],
        Balance(control="rate", bins=2, clips_per_bin=1, outliers=outliers),
    )
    assert (selection.n_labelled, selection.n_outliers, int(selection.before.sum())) == (
        6,
        2,
        n_clips,
    )
    assert selection.ranges["rate"][0] == lowest
    if outliers != "keep":
        assert selection.metadata["rate"].between(0, 1).all()
    # The set itself stays as it was.
    assert labelled["rate"].tolist() == [-0.5, 0.1, 0.4, 0.6, 0.9, 1.5]


def test_the_balanced_set_is_a_dataset_folder_with_the_same_sounds(
    config, command, labelled, tmp_path
):
    status, printed, _ = command(
        "balance", config, "--set", "balance.control=rate", "--set", "balance.clips_per_bin=5"
    )
    assert status == 0
    balanced, before = read_dataset(tmp_path / "out" / "balanced"), read_dataset(labelled)
    assert f"{len(balanced)} of 60 clips, 5 in each of {len(balanced) // 5} bins of rate" in printed
    assert 0 < len(balanced) < 60
    assert (balanced.controls, balanced.sample_rate, balanced.seconds) == (
        ["rate", "radius"],
        22050,
        0.1,
    )
    assert list(balanced.metadata.columns) == list(before.metadata.columns)
    for index, name in enumerate(balanced.metadata["file_name"]):
        assert balanced.path(index).samefile(labelled / name)  # a second name, not a second copy
        balanced.clip(index)
    on_disk = sorted(path.name for path in (balanced.folder / "audio").iterdir())
    assert on_disk == sorted(name.removeprefix("audio/") for name in balanced.metadata["file_name"])
    assert (balanced.folder / "histogram.png").read_bytes().startswith(b"\x89PNG")


def test_the_report_counts_what_was_there_and_what_was_kept(config, command, tmp_path):
    command("balance", config, "--set", "balance.control=rate", "--set", "balance.clips_per_bin=5")
    report = json.loads((tmp_path / "out" / "balanced" / "balance.json").read_text())
    before, after = ([a_bin[key] for a_bin in report["bins"]] for key in ("n_before", "n_after"))
    assert (sum(before), sum(after)) == (60, report["n_after"])
    assert after == [5 if count >= 5 else 0 for count in before]
    assert min(before) > 0  # bins without clips are left out
    assert 0 < after.count(0) < 10
    assert report["bins"][0]["bin"] == [1]
    # Of the whole set.
    assert report["ranges"]["rate"]["min"] == report["bins"][0]["labels"]["rate"][0] == -0.05
    # One rate of -0.05, one radius of 1.02.
    assert (report["n_labelled"], report["n_outliers"]) == (60, 2)


def test_sounds_are_copied_where_they_cannot_be_linked(
    config, command, tmp_path, labelled, monkeypatch
):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    assert command("balance", config)[0] == 0
    name = "audio/river_59.wav"  # all are kept, since the labels of radius are evenly spread
    assert (tmp_path / "out" / "balanced" / name).read_bytes() == (labelled / name).read_bytes()
    assert not (tmp_path / "out" / "balanced" / name).samefile(labelled / name)


def test_sounds_that_are_symbolic_links_are_followed(config, command, tmp_path, labelled):
    (labelled / "audio").rename(tmp_path / "elsewhere")
    (labelled / "audio").mkdir()
    for path in (tmp_path / "elsewhere").iterdir():
        (labelled / "audio" / path.name).symlink_to(os.path.relpath(path, labelled / "audio"))
    assert command("balance", config)[0] == 0
    balanced = read_dataset(tmp_path / "out" / "balanced")
    assert not balanced.path(0).is_symlink()
    balanced.clip(0)


def test_a_stopped_run_goes_on_and_ends_the_same(config, command, tmp_path):
    command("balance", config)
    folder = tmp_path / "out" / "balanced"
    contents = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    # As a kill between two clips leaves it.
    (folder / "dataset.json").unlink()
    (folder / "audio" / "river_3.wav").unlink()
    (folder / "audio" / ".part-1-river_3.wav").write_bytes(b"RIFF")
    run = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(run | {"finished": False}))
    assert "goes on" in command("balance", config, "--dry-run")[1]
    assert command("balance", config)[0] == 0
    assert {
        path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()
    } == contents


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            "balance.control=rat",
            'balance.control: no control "rat" (did you mean "rate"? there are rate, radius)',
        ),
        (
            "balance.clips_per_bin=7",
            "balance.clips_per_bin: 7 is more than any bin of radius holds; the fullest has 6 clips",
        ),
        (
            "balance.clips_per_bin=medan",
            "balance.clips_per_bin: 'medan' should be \"median\" or a whole number above 0",
        ),
        (
            "balance.clips_per_bin=0",
            'balance.clips_per_bin: 0 should be "median" or a whole number above 0',
        ),
        ('balance.control=["rate", "rate"]', "balance.control: rate stands there twice"),
        ("balance.control=[]", "balance.control: [] names no control"),
        (
            "balance.outliers=remove",
            'balance.outliers: "remove" is not known (there are keep, clip, drop)',
        ),
        ("balance.bins=1", "balance.bins: 1: should be greater than or equal to 2"),
        ("balanse.bins=5", 'balanse: no such key (did you mean "balance"?'),
    ],
)
def test_a_setting_that_cannot_be_met_is_one_sentence_and_changes_nothing(
    config, command, tmp_path, change, sentence
):
    status, printed, error = command("balance", config, "--set", change)
    assert status == 2
    assert sentence in error
    assert error.count("\n") == 1
    assert "clips" not in printed  # it may say that it begins, and no more
    assert not (tmp_path / "out").exists()


def test_a_control_whose_labels_are_all_the_same_cannot_be_balanced():
    same = table([0.4, 0.4, 0.4]).assign(radius=[0.1, 0.2, 0.3])
    with pytest.raises(UsageError, match=r"balance\.control: all clips have the same rate, 0\.4"):
        select(same, ["rate", "radius"], Balance(control="rate"))
    with pytest.raises(UsageError, match="every control has the same label for all clips"):
        select(same, ["rate"], Balance())
    assert select(same, ["rate", "radius"], Balance()).controls == ("radius",)


def test_a_labelled_set_that_is_not_there_or_not_finished_is_one_sentence(tmp_path, command):
    path = tmp_path / "synthesis.json"
    path.write_text(json.dumps({"output": "out", "labelled": "labels"}))
    for name in ("analyse", "balance"):
        status, _, error = command(name, path)
        assert status == 1
        assert error.endswith('labels: no such folder; run "domain-adaptation label" first\n')
        assert "waits" in command(name, path, "--dry-run")[1]
    (tmp_path / "labels").mkdir()
    run = {
        "command": "domain-adaptation label",
        "settings": {},
        "inputs": {},
        "fingerprint": "1",
        "finished": False,
    }
    (tmp_path / "labels" / "run.json").write_text(json.dumps(run))
    status, _, error = command("balance", path)
    assert status == 1
    assert 'is not finished; run "domain-adaptation label" to its end first' in error


def test_a_missing_sound_is_named_before_anything_is_written(config, command, labelled, tmp_path):
    (labelled / "audio" / "river_7.wav").unlink()
    status, _, error = command("balance", config)
    assert status == 1
    assert "audio/river_7.wav: no such file, but metadata.csv names it" in error
    assert not (tmp_path / "out").exists()


def test_a_broken_table_is_one_sentence(config, command, labelled, spoil):
    spoil(labelled, 0, "rate", "inf")
    for name in ("analyse", "balance"):
        status, _, error = command(name, config)
        assert status == 1
        assert "row 2: rate is inf, not a finite number" in error


@pytest.mark.parametrize(
    ("row", "column", "value", "sentence"),
    [
        (0, "rate", None, "metadata.csv: row 2: rate is empty"),
        (0, "rate", "NaN", "metadata.csv: "),
        (4, "rate", "loud", "metadata.csv: row 6: rate is loud, not a finite number"),
        (4, "rate", "-inf", "metadata.csv: row 6: rate is -inf, not a finite number"),
        (
            4,
            "file_name",
            "../x.wav",
            "metadata.csv: row 6: ../x.wav is not inside the dataset's folder",
        ),
        (
            4,
            "file_name",
            "/etc/passwd",
            "metadata.csv: row 6: /etc/passwd is not inside the dataset's folder",
        ),
        (4, "file_name", None, "metadata.csv: row 6: file_name is empty"),
    ],
)
def test_a_table_that_cannot_be_used_stops_every_command_before_it_writes(
    config, command, labelled, tmp_path, spoil, row, column, value, sentence
):
    spoil(labelled, row, column, value)
    for words in (("analyse",), ("balance",), ("export", "--set", "export.source=labelled")):
        status, _, error = command(words[0], config, *words[1:])
        assert status == 1
        assert sentence in error
        assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("key", ["low", "high", "unit"])
def test_a_control_that_is_not_described_stops_every_command_before_it_writes(
    config, command, labelled, tmp_path, key
):
    described = json.loads((labelled / "dataset.json").read_text())
    del described["controls"][1][key]
    (labelled / "dataset.json").write_text(json.dumps(described))
    for words in (("analyse",), ("balance",), ("export", "--set", "export.source=labelled")):
        status, _, error = command(words[0], config, *words[1:])
        assert status == 1
        assert f"dataset.json: control radius has no {key}; it needs low, high and unit" in error
    assert not (tmp_path / "out").exists()


def test_fewer_clips_than_bins_are_balanced_all_the_same(config, command, make_labelled, tmp_path):
    make_labelled(tmp_path / "few", n_clips=3)
    words = ("--set", f"labelled={tmp_path / 'few'}")
    assert command("analyse", config, *words)[0] == 0
    status, printed, _ = command("balance", config, *words)
    assert status == 0
    assert "3 of 3 clips, 1 in each of 3 bins of " in printed
    assert "(0 of 3 bins dropped, 7 more hold none)" in printed
    status, _, error = command(
        "balance", config, *words, "--overwrite", "--set", "balance.clips_per_bin=2"
    )
    assert status == 2
    assert "the fullest has 1 clips" in error
    assert len(read_dataset(tmp_path / "out" / "balanced")) == 3  # what was there stays


def test_a_dry_run_counts_the_clips_and_writes_nothing(config, command, tmp_path):
    status, printed, _ = command("balance", config, "--dry-run", "--set", "balance.clips_per_bin=2")
    assert status == 0
    # 60 evenly spaced labels: 6 in each of 10 bins.
    assert (
        "20 of 60 clips, 2 in each of 10 bins of radius (0 of 10 bins dropped) (first run)"
        in printed
    )
    assert not (tmp_path / "out").exists()


def test_clips_in_sub_folders_keep_their_places(tmp_path, config, command, make_labelled):
    make_labelled(
        tmp_path / "labels",
        file_name=lambda index: f"audio/{'dev' if index % 2 else 'eval'}/{index // 2}.wav",
    )
    assert command("balance", config)[0] == 0
    assert (tmp_path / "out" / "balanced" / "audio" / "dev" / "0.wav").is_file()
    assert (tmp_path / "out" / "balanced" / "audio" / "eval" / "0.wav").is_file()

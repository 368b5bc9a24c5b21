import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conditioned_synthesis.labels.analyse import histograms, statistics
from conditioned_synthesis.labels.histogram import counts, evenness
from conditioned_synthesis.labels.table import label_ranges, normalise

PUBLISHED = Path(__file__).parents[3] / "shared" / "thesis" / "published"
LABELS = st.lists(st.floats(-2, 3), min_size=1, max_size=50)


@pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason="the thesis's published labels are not beside the project"
)
def test_the_thesis_labels_have_the_means_and_deviations_that_the_thesis_published():
    [table] = PUBLISHED.rglob("*ExtractedAudioFilesLabels__DA_RealDataset.csv")
    found = statistics(pd.read_csv(table).drop(columns="AudioFileName"), bins=10)
    assert found["n_clips"] == 4582
    published = {  # normalised to 0..1, the sample's deviation
        "avgRate": (0.714148, 0.128141),
        "minRadius": (0.365230, 0.106110),
        "maxRadius": (0.228154, 0.133533),
        "expRadius": (0.603706, 0.111008),
    }
    for control, expected in published.items():
        of_control = found["controls"][control]
        # Published with six digits.
        assert (of_control["normalised_mean"], of_control["normalised_std"]) == pytest.approx(
            expected, abs=6e-7
        )


def test_statistics_of_a_few_labels_worked_out_by_hand():
    found = statistics(pd.DataFrame({"rate": [-1.0, 0.0, 1.0, 2.0]}), bins=2)["controls"]["rate"]
    assert (found["min"], found["max"], found["mean"]) == (-1, 2, 0.5)
    # Squares 2.25 + 0.25 + 0.25 + 2.25, by n - 1 = 3.
    assert found["std"] == pytest.approx((5 / 3) ** 0.5)
    # Between the ordered labels.
    assert (found["quartile_1"], found["median"], found["quartile_3"]) == (-0.25, 0.5, 1.25)
    assert found["outside"] == 0.5  # -1 and 2; both ends of 0..1 are inside
    assert found["normalised_mean"] == 0.5
    assert found["evenness"] == 1  # two labels in each half


def test_the_recommended_control_is_the_one_whose_labels_are_spread_most_evenly():
    crowded, spread = [0.0, 0.5, 0.5, 0.5, 1.0], [0.1, 0.3, 0.5, 0.7, 0.9]
    assert (
        statistics(pd.DataFrame({"a": crowded, "b": spread}), bins=5)["recommended_control"] == "b"
    )
    assert (
        statistics(pd.DataFrame({"a": spread, "b": crowded}), bins=5)["recommended_control"] == "a"
    )


def test_labels_that_are_all_the_same_give_numbers_and_no_recommendation():
    for labels in ([0.3, 0.3, 0.3], [0.3]):  # also a single clip, which has no deviation
        found = statistics(pd.DataFrame({"rate": labels}), bins=10)
        assert found["recommended_control"] is None
        assert all(np.isfinite(number) for number in found["controls"]["rate"].values())
        assert found["controls"]["rate"]["normalised_mean"] == 0


@given(LABELS)
def test_normalised_labels_fill_0_to_1_and_keep_their_order(values):
    labels = pd.DataFrame({"rate": values})
    normalised = normalise(labels, label_ranges(labels))["rate"].to_numpy()
    assert normalised.min() == 0
    assert normalised.max() == (1 if max(values) > min(values) else 0)
    assert (np.diff(normalised[np.argsort(values)]) >= 0).all()


@given(LABELS, st.integers(2, 20))
def test_every_clip_is_in_one_bin_of_each_histogram_and_within_its_edges(values, bins):
    table = histograms(pd.DataFrame({"rate": values, "radius": values[::-1]}), bins)
    for _, of_control in table.groupby("control"):
        assert of_control["n_clips"].sum() == len(values)
        assert list(of_control["bin"]) == list(range(1, bins + 1))
        assert np.allclose(of_control["high"].iloc[:-1], of_control["low"].iloc[1:])
    assert (table["label_low"].min(), table["label_high"].max()) == pytest.approx(
        (min(values), max(values))
    )


@given(st.lists(st.integers(0, 100), min_size=2, max_size=20).filter(sum))
def test_evenness_lies_between_all_in_one_bin_and_flat(heights):
    score = evenness(np.array(heights))
    assert -1e-12 <= score <= 1 + 1e-12
    assert (score > 1 - 1e-12) == (len(set(heights)) == 1)


def test_counts_agree_with_numpys_histogram():
    # A label on an edge belongs to the bin above it, the largest to the last.
    edges = np.arange(8) / 7
    values = np.append(np.random.default_rng(0).uniform(size=1000), edges)
    assert counts(values, 7).tolist() == np.histogram(values, 7, (0, 1))[0].tolist()


@pytest.mark.pictures
def test_analyse_writes_numbers_tables_and_a_picture(config, command, tmp_path):
    status, printed, _ = command("analyse", config)
    folder = tmp_path / "out" / "analysis"
    assert status == 0
    assert "60 clips, rate, radius; radius is nearest to evenly spread (1.00)" in printed
    assert set(json.loads((folder / "statistics.json").read_text())["controls"]) == {
        "rate",
        "radius",
    }
    correlations = pd.read_csv(folder / "correlations.csv", index_col="control")
    assert correlations.loc["rate", "rate"] == pytest.approx(1)
    assert correlations.loc["rate", "radius"] == correlations.loc["radius", "rate"]
    assert pd.read_csv(folder / "histograms.csv")["n_clips"].sum() == 2 * 60
    assert (folder / "histograms.png").read_bytes().startswith(b"\x89PNG")


def test_analyse_does_nothing_twice_and_says_what_changed(config, command):
    command("analyse", config)
    assert "done and unchanged" in command("analyse", config)[1]
    status, _, error = command("analyse", config, "--set", "analyse.bins=5")
    assert status == 2
    assert "analyse.bins 10 -> 5" in error
    # Its result does not depend on how the subset is balanced.
    assert "done and unchanged" in command("analyse", config, "--set", "balance.seed=3")[1]
    assert command("analyse", config, "--set", "analyse.bins=5", "--overwrite")[0] == 0

"""A set is divided by what was recorded in one go, as nearly in the asked shares as that allows."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from real_datasets.splits import SplitShares, split_origins

PARTS = ["train", "validation", "test"]
SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=30)
PERCENTS = (
    st.tuples(st.integers(0, 100), st.integers(0, 100))
    .map(sorted)
    .map(lambda cut: (cut[0], cut[1] - cut[0], 100 - cut[1]))
)


def shares(percents: tuple[int, int, int], seed: int = 0) -> SplitShares:
    return SplitShares(
        **{part: percent / 100 for part, percent in zip(PARTS, percents, strict=True)}, seed=seed
    )


def origins_of(sizes: list[int]) -> list[str]:
    """Return the origin of each segment; so many segments of each."""
    return [f"take {index}" for index, size in enumerate(sizes) for _ in range(size)]


@given(sizes=SIZES, percents=PERCENTS, seed=st.integers(0, 5))
def test_no_part_is_further_from_its_share_than_the_largest_origin_is_long(
    sizes: list[int], percents: tuple[int, int, int], seed: int
) -> None:
    found = split_origins(origins_of(sizes), shares(percents, seed))
    # Each in one part, and none forgotten.
    assert set(found) == {f"take {index}" for index in range(len(sizes))}
    n_in = Counter[str]()
    for index, size in enumerate(sizes):
        n_in[found[f"take {index}"]] += size
    for part, percent in zip(PARTS, percents, strict=True):
        # In whole hundredths, so that no rounding is in it.
        assert abs(100 * n_in[part] - percent * sum(sizes)) <= 100 * max(sizes)


@given(sizes=SIZES, percents=PERCENTS)
def test_a_part_of_no_share_stays_empty(sizes: list[int], percents: tuple[int, int, int]) -> None:
    used = set(split_origins(origins_of(sizes), shares(percents)).values())
    assert used <= {part for part, percent in zip(PARTS, percents, strict=True) if percent > 0}


@given(
    sizes=SIZES,
    percents=PERCENTS,
    seed=st.integers(0, 2**32 - 1),
    order=st.randoms(use_true_random=False),
)
def test_the_same_seed_gives_the_same_parts_whatever_the_order_of_the_segments(
    sizes, percents, seed, order
) -> None:
    origins = origins_of(sizes)
    expected = split_origins(origins, shares(percents, seed))
    order.shuffle(origins)
    assert split_origins(origins, shares(percents, seed)) == expected


def test_another_seed_gives_other_parts() -> None:
    origins = origins_of([3] * 30)
    found = {
        tuple(sorted(split_origins(origins, shares((60, 20, 20), seed)).items()))
        for seed in range(10)
    }
    assert len(found) == 10


@given(n_origins=st.integers(1, 40), percents=PERCENTS)
def test_origins_of_one_size_are_shared_out_to_the_nearest_whole_one(
    n_origins: int, percents: tuple[int, int, int]
) -> None:
    assume(n_origins * min(percent for percent in percents if percent) >= 100)
    counts = Counter(split_origins(origins_of([1] * n_origins), shares(percents)).values())
    for part, percent in zip(PARTS, percents, strict=True):
        assert abs(counts[part] - n_origins * percent / 100) < 1


@pytest.mark.parametrize("parts", [(0.8, 0.1, 0.2), (0.8, 0.1, 0.0), (0.0, 0.0, 0.0)])
def test_shares_that_are_not_a_whole_are_refused(parts: tuple[float, float, float]) -> None:
    with pytest.raises(ValidationError, match=r"should add up to 1, and are (1\.1|0\.9|0)"):
        SplitShares(**dict(zip(PARTS, parts, strict=True)))


def test_shares_that_add_up_to_1_but_for_a_computers_rounding_are_taken() -> None:
    SplitShares(train=0.7, validation=0.2, test=0.1)  # 0.9999999999999999


def test_in_a_built_set_recordings_of_one_origin_are_in_one_part(
    record, config, cut, noise, tmp_path
) -> None:
    rows = ["file_name,tags,origin"]
    for index in range(12):
        record(f"take_{index}.wav", noise(1 + index % 3))
        # Four cuts of one afternoon, four of another; the others stand alone.
        rows.append(f"take_{index}.wav,rain,{['monday', 'friday', ''][index // 4]}")
    (tmp_path / "tags.csv").write_text("\n".join(rows))
    table = pd.read_csv(
        cut(
            f"source.tags_from={tmp_path / 'tags.csv'}",
            'split={"train":0.5,"validation":0,"test":0.5}',
        )
        / "metadata.csv"
    )
    assert table.groupby("origin")["split"].nunique().max() == 1
    assert set(table["origin"]) == {
        "monday",
        "friday",
        *(f"take_{index}.wav" for index in range(8, 12)),
    }
    assert set(table["split"]) == {"train", "test"}
    # 24 segments, of which the largest origin has 8
    assert np.abs(table["split"].value_counts() - 12).max() <= 8


def test_without_a_division_the_sources_own_parts_stay(record, cut, noise, tmp_path) -> None:
    record("a.wav", noise(1))
    record("b.wav", noise(1))
    (tmp_path / "tags.csv").write_text("file_name,tags,split\na.wav,rain,fold3\n")
    table = pd.read_csv(
        cut(f"source.tags_from={tmp_path / 'tags.csv'}") / "metadata.csv", keep_default_na=False
    )
    assert dict(zip(table["source"], table["split"], strict=True)) == {
        "a.wav": "fold3",
        "b.wav": "",
    }

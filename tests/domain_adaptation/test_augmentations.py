"""More clips than there are: slowed, and mixed."""

import cmath
import itertools
import json
import math

import numpy as np
import pandas as pd
import pytest
import torch

from domain_adaptation.cli import app
from domain_adaptation.training.augment.mixing import Mixing
from domain_adaptation.training.augment.slow_down import Slowing
from texturelib.controls import Control
from texturelib.dataset import write_dataset

from .conftest import BANDS, PITCH, SAMPLE_RATE, SECONDS, make_config, make_pitch_set

RATE = Control("rate", 1.0, 100.0, "1/s", "exponential", laws={"slow_down": -1, "mixing": 1})
SIZE = Control("size", 1.0, 10.0, "mm", "exponential", laws={"slow_down": 1, "mixing": 0})


# Slowing. -------------------------------------------------------------------------------------------------------------


def test_every_second_group_is_slowed_and_its_controls_move_by_their_laws():
    torch.manual_seed(0)
    clips, truth = torch.randn(24, 3200), torch.full((24, 2), 0.5)
    slowed, moved, rows = Slowing([RATE, SIZE], (1.5, 1.6))(clips, truth, torch.arange(24))
    assert rows.tolist() == list(range(24))
    unchanged = [*range(8, 16)]
    torch.testing.assert_close(slowed[unchanged], clips[unchanged])
    torch.testing.assert_close(moved[unchanged], truth[unchanged])
    for first in (0, 16):
        ratio = 100.0 ** (0.5 - moved[first, 0])  # of the rate before to that after
        # A little less than asked for, as it must be a length that transforms fast.
        assert 1.45 < float(ratio) < 1.61
        assert float(10 ** (moved[first, 1] - 0.5)) == pytest.approx(float(ratio), rel=1e-4)
        assert not torch.equal(slowed[first], clips[first])


def test_a_slowed_clip_that_no_slider_could_make_is_left_out():
    above_2 = Control("size", 2.1, 10.0, "mm", "exponential", offset=2.0, laws={"slow_down": 1})
    # 2.1 mm, half as large: below all that the slider can say.
    truth = torch.tensor([[0.0]] * 8 + [[0.5]] * 8)
    slowed, moved, rows = Slowing([above_2], (0.5, 0.55))(
        torch.randn(16, 400), truth, torch.arange(16)
    )
    assert rows.tolist() == list(range(8, 16))
    assert len(slowed) == len(moved) == 8


# Mixing. --------------------------------------------------------------------------------------------------------------

RATES, SIZES = (0.1, 0.4, 0.7), (0.2, 0.6)


@pytest.fixture
def grid():
    """Return clips, each a tone of its own, the same if it is begun anywhere but for its phase;
    their controls; how loud the engine made them."""
    truth = np.array(list(itertools.product(RATES, SIZES)), np.float32)
    # The last sample is the first again.
    periods = 2 * np.pi * np.arange(1, len(truth) + 1)[:, None] * np.arange(64) / 63
    return (
        (np.cos(periods) * 32767).round().astype(np.int16),
        truth,
        np.array([-40.0, -20.0, 0.0, -6.0, -12.0, 6.0]),
    )


def tones(clip: torch.Tensor) -> dict[int, complex]:
    """Return, by clip, the amplitude and phase of its tone in this one."""
    spectrum = torch.fft.rfft(clip[:63].double())[1:]
    # -50 dB; 16 bits leave -90.
    heard = (spectrum.abs() > 0.003 * spectrum.abs().max()).nonzero()[:, 0].tolist()
    return {place: complex(spectrum[place]) for place in heard}


def test_mixed_clips_are_sums_of_two_of_one_size_at_their_own_levels_and_their_rates_add_up(grid):
    clips, truth, peak_db = grid
    mixing = Mixing(1.0, clips, truth, peak_db, np.arange(6), [RATE, SIZE])
    torch.manual_seed(0)
    seen: dict[tuple[int, int], list[float]] = {}
    for _ in range(50):
        mixed, moved, rows = mixing(
            torch.from_numpy(clips).float(), torch.from_numpy(truth), torch.arange(6)
        )
        assert rows.tolist() == list(range(6))
        for row in range(6):
            parts = tones(mixed[row])
            assert row in parts
            if len(parts) == 1:
                torch.testing.assert_close(moved[row], torch.from_numpy(truth[row]))
                continue
            other = next(part for part in parts if part != row)
            seen.setdefault((row, other), []).append(cmath.phase(parts[other]))
            assert moved[row, 1] == truth[row, 1] == truth[other, 1]
            ratio_db = 20 * math.log10(abs(parts[other]) / abs(parts[row]))
            assert ratio_db == pytest.approx(peak_db[other] - peak_db[row], abs=0.01)
            together = RATE.to_physical(truth[row, 0]) + RATE.to_physical(truth[other, 0])
            assert float(RATE.to_physical(float(moved[row, 0]))) == pytest.approx(
                float(together), rel=1e-4
            )
    assert len(seen) == 12  # each with each other of its size
    # Begun at any of its moments.
    assert all(max(phases) - min(phases) > 1 for phases in seen.values())


def test_only_clips_that_may_be_added_are(grid):
    clips, truth, peak_db = grid
    mixing = Mixing(1.0, clips, truth, peak_db, np.array([0, 2, 3]), [RATE, SIZE])
    for _ in range(20):
        mixed, _, _ = mixing(
            torch.from_numpy(clips).float(), torch.from_numpy(truth), torch.arange(6)
        )
        added = {(row, part) for row in range(6) for part in tones(mixed[row]) if part != row}
        assert {part for _, part in added} <= {0, 2, 3}


def test_a_share_of_none_leaves_all_as_they_were(grid):
    clips, truth, peak_db = grid
    mixing = Mixing(0.0, clips, truth, peak_db, np.arange(6), [RATE, SIZE])
    mixed, moved, _ = mixing(
        torch.from_numpy(clips).float(), torch.from_numpy(truth), torch.arange(6)
    )
    torch.testing.assert_close(mixed, torch.from_numpy(clips).float())
    torch.testing.assert_close(moved, torch.from_numpy(truth))


# Both, by command. ----------------------------------------------------------------------------------------------------


@pytest.fixture
def dense(tmp_path):
    """Return a pitch set whose table also has a rate, and how loud the clips were."""
    folder, _ = make_pitch_set(tmp_path / "synthetic", 40, is_real=False)
    table = pd.read_csv(folder / "metadata.csv")
    table["pitch"] = table["pitch"].round(1)
    table["rate"] = np.arange(len(table)) / len(table)
    table["peak_db"] = -3.0
    rate = {
        "name": "rate",
        "unit": "1/s",
        "low": 1.0,
        "high": 9.0,
        "curve": "exponential",
        "offset": 0.0,
    }
    controls = [
        PITCH | {"laws": {"slow_down": -1, "mixing": 0}},
        rate | {"laws": {"slow_down": -1, "mixing": 1}},
    ]

    def write(**columns: object) -> object:
        write_dataset(
            folder,
            table.assign(**columns).dropna(axis=1),
            sample_rate=SAMPLE_RATE,
            seconds=SECONDS,
            controls=controls,
            provenance={"kind": "test"},
        )
        return make_config(
            tmp_path,
            features=BANDS,
            network={"type": "band_cnn", "channels": [8, 8], "n_hidden": 8},
            extractor={
                "epochs": 4,
                "batch_size": 8,
                "learning_rate": 0.003,
                "mix": 0.5,
                "slow_down": [0.8, 1.25],
            },
            split={"train": 0.6, "validation": 0.2, "test": 0.2},
        )

    return tmp_path, controls, write


def test_an_extractor_learns_from_mixed_and_slowed_clips(dense, run_command):
    folder, _, write = dense
    write()
    done = run_command(app, "train-extractor", folder / "adaptation.json")
    assert done.status == 0
    history = pd.read_csv(next(folder.rglob("history.csv")))
    assert len(history) == 4
    assert json.loads(next(folder.rglob("metrics.json")).read_text())["test_mae"] < 0.5


@pytest.mark.parametrize(
    ("columns", "law", "sentence"),
    [
        (
            {"peak_db": None},
            1,
            "synthetic/metadata.csv has no column peak_db, which says how loud clips were; generate",
        ),
        (
            {"pitch": np.arange(40) / 40},
            1,
            "extractor.mix: no two clips have the same pitch; set it to 0",
        ),
        ({}, None, "extractor.mix: the engine does not say how rate moves then; set it to 0"),
    ],
)
def test_clips_that_cannot_be_mixed_are_refused_with_a_sentence(
    dense, run_command, columns, law, sentence
):
    folder, controls, write = dense
    controls[1]["laws"] = {"slow_down": -1} | ({} if law is None else {"mixing": law})
    write(**columns)
    done = run_command(app, "train-extractor", folder / "adaptation.json")
    assert done.status != 0
    assert sentence in done.err
    assert len(done.err.strip().splitlines()) == 1

"""Recordings become an evenly spread, labelled set, by the laws of the controls."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from conditioned_synthesis.augmentation.band import band_end_hz, continued
from conditioned_synthesis.augmentation.command import plan_clips
from conditioned_synthesis.augmentation.draws import Draws
from conditioned_synthesis.augmentation.labels import RelativeLabels
from conditioned_synthesis.augmentation.parts import divided
from conditioned_synthesis.augmentation.recordings import recordings_of
from conditioned_synthesis.augmentation.settings import Augment, HeldOut
from conditioned_synthesis.config import SynthesisConfig
from texturelib.audio import write_wav
from texturelib.config import load_config
from texturelib.controls import Control
from texturelib.dataset import read_dataset, write_dataset

RATE, SECONDS = 8000, 0.25
N = round(RATE * SECONDS)
RADIUS = Control(
    "radius", 1.0, 100.0, "mm", "exponential", laws={"slow_down": 1, "mixing": 0, "gain": 0}
)
PER_SECOND = Control(
    "rate", 1.0, 1000.0, "drops/s", "exponential", laws={"slow_down": -1, "mixing": 1, "gain": 0}
)
WETNESS = Control("wetness", 0.0, 1.0, "share")

Cut = Callable[..., Path]
Run = Callable[..., tuple[int, str, str]]


def _noise(seconds: float, seed: int = 0, level: float = 0.1) -> np.ndarray:
    return level * np.random.default_rng(seed).standard_normal(round(RATE * seconds))


def _sine(seconds: float, hz: float) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * hz * np.arange(round(RATE * seconds)) / RATE)


@pytest.fixture
def cut(tmp_path: Path) -> Cut:
    """Write recordings as `real-datasets build` cuts them, or as `label` labels them."""

    def write(
        recordings: Mapping[str, np.ndarray],
        labels: Callable[[int], dict[str, float]] = lambda _: {},
        controls: tuple[Control, ...] = (),
        **columns: Any,
    ) -> Path:
        folder, rows = tmp_path / "labels", []
        for name, samples in recordings.items():
            for index in range(len(samples) // N):
                file_name = f"audio/{name}_{index + 1}.wav"
                write_wav(folder / file_name, samples[index * N : (index + 1) * N], RATE)
                rows.append(
                    {
                        "file_name": file_name,
                        **labels(len(rows)),
                        "source": name,
                        "start_seconds": index * SECONDS,
                    }
                )
        write_dataset(
            folder,
            pd.DataFrame(rows).assign(**columns),
            sample_rate=RATE,
            seconds=SECONDS,
            n_channels=next(iter(recordings.values()))
            .reshape(len(next(iter(recordings.values()))), -1)
            .shape[1],
            controls=[control.describe() for control in controls],
        )
        return folder

    return write


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "synthesis.json"
    path.write_text(json.dumps({"output": "out", "labelled": "labels", "augment": {"n_clips": 40}}))
    return path


@pytest.fixture
def augmented(
    command: Run, config: Path, tmp_path: Path
) -> Callable[..., tuple[pd.DataFrame, dict[str, Any]]]:
    """Run the command with changed keys of `augment`. -> metadata.csv, dataset.json"""

    def run(**changes: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
        words = [
            word
            for key, value in changes.items()
            for word in ("--set", f"augment.{key}={json.dumps(value)}")
        ]
        status, _, errors = command("augment", config, *words, "--overwrite", "--workers", "1")
        assert status == 0, errors
        folder = tmp_path / "out" / "augmented"
        return pd.read_csv(folder / "metadata.csv"), json.loads(
            (folder / "dataset.json").read_text()
        )

    return run


def _sound(tmp_path: Path, row: pd.Series) -> np.ndarray:
    return soundfile.read(tmp_path / "out" / "augmented" / row["file_name"])[0]


def _intervals(row: pd.Series) -> list[tuple[float, float]]:
    """Return the seconds of the recording that a clip has sound of"""
    begins = [float(each) for each in str(row["layers_start_seconds"]).split(";")]
    return [(begin, begin + SECONDS / row["slow_down"]) for begin in begins]


def test_a_clip_slowed_k_times_sounds_at_a_kth_of_its_pitch_without_a_seam(
    cut: Cut, augmented: Callable[..., Any], tmp_path: Path
) -> None:
    cut({"hum.wav": _sine(20, 500)})
    table, _ = augmented(density=[1, 1], n_clips=12)
    for _, row in table.iterrows():
        sound = _sound(tmp_path, row) * np.hanning(N)
        spectrum = np.abs(np.fft.rfft(sound, 16 * N)) ** 2
        frequency = np.fft.rfftfreq(16 * N, 1 / RATE)
        assert frequency[spectrum.argmax()] == pytest.approx(500 / row["slow_down"], abs=2)
        # Beside the lobe of the window, which is 16 Hz wide on either side.
        beside = abs(frequency - 500 / row["slow_down"]) > 40
        assert spectrum[beside].sum() < 1e-5 * spectrum.sum()
    assert table["size"].to_numpy() == pytest.approx(
        np.log(table["slow_down"] / 0.5) / np.log(4), abs=1e-5
    )


def test_layers_keep_the_level_and_even_out_the_envelope(
    cut: Cut, augmented: Callable[..., Any], tmp_path: Path
) -> None:
    slow = np.repeat(np.random.default_rng(1).exponential(size=800), N // 10)
    cut({"rain.wav": 0.05 * slow * _noise(20, level=1.0)})
    table, _ = augmented(size=[1, 1], n_clips=120)
    level = 10 ** (table["level_dbfs"] / 10)
    few, many = level[table["layers"] == 1], level[table["layers"] >= 6]
    # Power of independent layers over their number: the mean stays, and the deviation shrinks.
    assert many.mean() == pytest.approx(few.mean(), rel=0.25)
    assert many.std() < 0.6 * few.std()
    assert set(table["layers"]) == set(range(1, 9))
    assert table["density"].to_numpy() == pytest.approx(
        np.log(table["layers"]) / np.log(8), abs=1e-5
    )


def test_draws_are_even_over_both_controls(cut: Cut, augmented: Callable[..., Any]) -> None:
    cut({"rain.wav": _noise(20)})
    table, _ = augmented(n_clips=128)
    counts, *_ = np.histogram2d(
        table["size"], table["density"], bins=[4, 2], range=[[0, 1], [0, 1]]
    )
    assert counts.sum(axis=1).tolist() == [32] * 4  # as even as a Sobol sequence
    # Whole numbers of layers are no even halves: 1 and 2, or 3 to 8.
    assert (abs(counts / counts.sum(axis=0) - 0.25) < 0.06).all()


@pytest.mark.parametrize("n_recordings", [1, 40])
def test_held_out_clips_share_no_sample_with_training_clips(
    n_recordings: int, cut: Cut, augmented: Callable[..., Any]
) -> None:
    cut({f"rain{index}.wav": _noise(20 / n_recordings + 1, index) for index in range(n_recordings)})
    table, description = augmented(n_clips=80)
    assert set(description["n_clips_by_split"]) == {"train", "validation", "test"}
    of = dict(list(table.groupby("split")))
    for split in ("validation", "test"):
        assert 4 <= len(of[split]) <= 12
        for _, held_out in of[split].iterrows():
            same = of["train"][of["train"]["source"] == held_out["source"]]
            for _, other in same.iterrows():
                for begin, end in _intervals(held_out):
                    assert all(
                        end <= first + 1e-4 or begin >= last - 1e-4
                        for first, last in _intervals(other)
                    )


def test_parts_that_a_set_has_are_kept(cut: Cut, augmented: Callable[..., Any]) -> None:
    folder = cut({name: _noise(2, 1) for name in ("a.wav", "b.wav", "c.wav")})
    table = pd.read_csv(folder / "metadata.csv")
    table["split"] = table["source"].map({"a.wav": "train", "b.wav": "validation", "c.wav": "test"})
    table.to_csv(folder / "metadata.csv", index=False)
    made, _ = augmented(n_clips=30)
    assert set(zip(made["source"], made["split"], strict=True)) == {
        ("a.wav", "train"), ("b.wav", "validation"), ("c.wav", "test"),
    }  # fmt: skip


def test_clip_i_depends_on_the_seed_and_i_alone(
    cut: Cut, augmented: Callable[..., Any], tmp_path: Path
) -> None:
    cut({"rain.wav": _noise(10), "river.wav": _noise(10, 1)})
    few, _ = augmented(n_clips=7)
    sounds = [_sound(tmp_path, row) for _, row in few.iterrows()]
    many, _ = augmented(n_clips=20)
    pd.testing.assert_frame_equal(few, many[:7])
    assert all(
        np.array_equal(_sound(tmp_path, row), sound)
        for (_, row), sound in zip(few.iterrows(), sounds, strict=True)
    )
    other, _ = augmented(n_clips=7, seed=1)
    assert not np.allclose(few["size"], other["size"])


def test_labels_move_by_the_laws_and_stay_within_their_sliders(
    cut: Cut, augmented: Callable[..., Any]
) -> None:
    labels = {"radius": 0.9, "rate": 0.5, "wetness": 0.3}
    cut({"rain.wav": _noise(10)}, lambda _: labels, (RADIUS, PER_SECOND, WETNESS))
    table, description = augmented(n_clips=60)
    factor = table["slow_down"].to_numpy()
    assert table["radius"].to_numpy() == pytest.approx(
        RADIUS.moved("slow_down", factor, 0.9), abs=1e-5
    )
    rate = PER_SECOND.moved(
        "mixing", table["layers"].to_numpy(), PER_SECOND.moved("slow_down", factor, 0.5)
    )
    assert table["rate"].to_numpy() == pytest.approx(rate, abs=1e-5)
    assert (table["wetness"] == 0.3).all()
    # A radius of 63 mm cannot become 2 times 63 of 100: such draws are made anew.
    assert len(table) == 60
    assert table["radius"].between(0, 1).all()
    assert factor.max() <= 100 / RADIUS.to_physical(0.9)
    assert [each["name"] for each in description["controls"]] == ["radius", "rate", "wetness"]
    assert "wetness" in description["notes"][0]


def test_a_moment_has_the_mean_label_of_the_clips_that_it_covers(
    cut: Cut, augmented: Callable[..., Any]
) -> None:
    cut({"rain.wav": _noise(10)}, lambda row: {"wetness": row / 40}, (WETNESS,))
    table, _ = augmented(size=[1, 1], density=[1, 2], n_clips=20)
    for _, row in table.iterrows():
        covered = [
            np.arange(int(begin / SECONDS), int((end - 1e-3) / SECONDS) + 1)
            for begin, end in _intervals(row)
        ]
        assert row["wetness"] == pytest.approx(
            np.mean([rows.mean() for rows in covered]) / 40, abs=1e-5
        )


def test_loud_recordings_are_lowered_together_and_none_clips(
    cut: Cut, augmented: Callable[..., Any], tmp_path: Path
) -> None:
    recorded = np.clip(_noise(10, level=0.6), -0.99, 0.99)
    cut({"loud.wav": recorded})
    table, description = augmented(n_clips=20)
    sounds = [_sound(tmp_path, row) for _, row in table.iterrows()]
    assert max(abs(sound).max() for sound in sounds) == pytest.approx(1, abs=1e-3)
    assert sum((abs(sound) > 0.9999).sum() for sound in sounds) <= 1
    assert description["lowered_db"] > 3
    assert "quieter" in description["notes"][0]
    assert description["lowered_db"] == pytest.approx(
        20 * np.log10(recorded.std()) - table["level_dbfs"].mean(), abs=1.0
    )


@pytest.mark.parametrize("band", ["continued", "recorded", "common"])
def test_the_end_of_the_band(
    band: str, cut: Cut, augmented: Callable[..., Any], tmp_path: Path
) -> None:
    cut({"rain.wav": _noise(10)})
    table, description = augmented(band=band, n_clips=20)
    assert description["comparable_below_hz"] == pytest.approx(0.91 * RATE / 4)
    assert "1820 Hz" in (tmp_path / "out" / "augmented" / "README.md").read_text()

    def share_above(row: pd.Series, hz: float) -> float:
        power = np.abs(np.fft.rfft(_sound(tmp_path, row) * np.hanning(N))) ** 2
        return power[round(hz * SECONDS) :].sum() / power.sum()

    slow, fast = table.loc[table["size"].idxmax()], table.loc[table["size"].idxmin()]
    # White noise has a fifth of its power between 2900 Hz and the end of the band at 3640 Hz.
    wanted = {"continued": (0.2, 0.2), "recorded": (0.0, 0.2), "common": (0.0, 0.0)}[band]
    assert (share_above(slow, 2900), share_above(fast, 2900)) == pytest.approx(wanted, abs=0.06)


def test_a_spectrum_is_continued_with_its_slope_and_its_moments() -> None:
    rate, rng = 16000, np.random.default_rng(0)
    envelope = np.repeat(rng.exponential(size=40), 800)
    spectrum = np.fft.rfft(envelope * rng.standard_normal(32000))
    frequency = np.fft.rfftfreq(32000, 1 / rate)
    spectrum *= np.where(frequency > 100, (frequency + 1) ** -1.0, 0)  # 6 dB an octave
    whole = np.fft.irfft(spectrum)
    low = np.fft.irfft(np.where(frequency < 3500, spectrum, 0))
    made = continued(low[:, None], rate, 3500)[:, 0]

    def in_octave(samples: np.ndarray) -> np.ndarray:
        """Return the power in 3.6 to 7 kHz, a value each 50 ms"""
        kept = (frequency > 3600) & (frequency < 7000)
        return (np.fft.irfft(np.where(kept, np.fft.rfft(samples), 0)).reshape(40, 800) ** 2).mean(
            axis=1
        )

    assert 10 * np.log10(in_octave(made).mean() / in_octave(whole).mean()) == pytest.approx(
        0, abs=1.5
    )
    assert np.corrcoef(in_octave(made), in_octave(whole))[0, 1] > 0.9


def test_the_end_of_a_recordings_spectrum_is_found() -> None:
    white = np.random.default_rng(0).standard_normal(44100) * 0.1
    frequency = np.fft.rfftfreq(44100, 1 / 44100)

    def below(hz: float, slope: float = 0.0) -> np.ndarray:
        gain = np.where(frequency < hz, (frequency / 1000 + 1e-3) ** slope, 0)
        return (np.rint(32768 * np.fft.irfft(gain * np.fft.rfft(white))) / 32768).astype(np.float32)

    assert band_end_hz([below(16000)], 44100) == pytest.approx(16000, rel=0.01)
    assert band_end_hz([below(30000)], 44100) == 22050
    # It fades into the noise of 16 bits, which is no end.
    assert band_end_hz([below(30000, -5.0)], 44100) == 22050
    assert band_end_hz([np.zeros(100, np.float32)], 44100) == 22050


def test_other_rates_lengths_and_levels(
    cut: Cut, augmented: Callable[..., Any], tmp_path: Path
) -> None:
    cut({"hum.wav": _sine(20, 500)})
    table, description = augmented(sample_rate=22050, seconds=0.4, level=[-20, 0], n_clips=10)
    assert description["sample_rate"] == 22050
    assert table["level"].to_numpy() == pytest.approx((table["gain_db"] + 20) / 20, abs=1e-4)
    assert table["gain_db"].min() < -15
    alone = table[table["layers"] == 1]
    assert len(alone)
    for _, row in table.iterrows():
        assert len(_sound(tmp_path, row)) == 8820
    for _, row in alone.iterrows():
        assert row["level_dbfs"] == pytest.approx(
            20 * np.log10(0.3 / 2**0.5) + row["gain_db"], abs=0.1
        )


def test_all_channels_or_their_mix(cut: Cut, augmented: Callable[..., Any], tmp_path: Path) -> None:
    cut({"hum.wav": np.stack([_sine(10, 500), 0.5 * _sine(10, 500)], axis=1)})
    table, description = augmented(n_clips=4)
    assert description["channels"] == 2
    for _, row in table.iterrows():
        sound = _sound(tmp_path, row)
        assert sound.shape == (N, 2)
        assert sound[:, 1] == pytest.approx(0.5 * sound[:, 0], abs=1e-3)
    mixed, description = augmented(n_clips=4, channels=1)
    assert description["channels"] == 1
    assert _sound(tmp_path, mixed.iloc[0]).shape == (N,)


def test_clips_that_follow_one_another_make_up_a_recording(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "file_name": [f"{index}.wav" for index in range(6)],
            "source": ["b", "a", "b", "b", "b", "b"],
            "start_seconds": [1.0, 0.0, 0.0, 0.5, 3.0, 0.5],
        }
    )
    write_dataset(tmp_path, table, sample_rate=10, seconds=1.0, controls=[])
    b, a = recordings_of(read_dataset(tmp_path))
    assert (a.name, a.stretches) == ("a", ((0, 10),))
    assert b.stretches == ((0, 20), (30, 40))
    assert b.rows.tolist() == [2, 3, 0, 4]  # of two that begin at one sample, the first
    assert b.rows[b.clips_of(4, 10)].tolist() == [2, 3]
    assert b.rows[b.clips_of(10, 20)].tolist() == [3, 0]


def test_a_set_of_one_clip_can_be_trained_on(cut: Cut, augmented: Callable[..., Any]) -> None:
    cut({"rain.wav": _noise(10)})
    for seed in range(5):
        assert augmented(n_clips=1, seed=seed)[0]["split"].tolist() == ["train"]


def test_recordings_that_are_too_short_or_silent_are_left_out_by_name(
    cut: Cut, augmented: Callable[..., Any], tmp_path: Path
) -> None:
    cut(
        {
            "rain.wav": _noise(10),
            "short.wav": _noise(0.4),
            "silent.wav": np.zeros(8000),
            "b.wav": _noise(9),
        }
    )
    table, _ = augmented(n_clips=20)
    assert set(table["source"]) == {"rain.wav", "b.wav"}
    rejected = pd.read_csv(tmp_path / "out" / "augmented" / "rejected.csv").set_index("file")[
        "reason"
    ]
    assert (
        rejected["short.wav"]
        == "has 0.25 s without a gap; a clip of 0.25 s at size 0.5 takes 0.50 s"
    )
    assert rejected["silent.wav"] == "is silent"


def test_nothing_is_made_where_no_recording_is_long_enough(
    cut: Cut, command: Run, config: Path
) -> None:
    cut({"short.wav": _noise(0.4)})
    status, _, errors = command("augment", config)
    assert status == 1
    assert "short.wav: has 0.25 s without a gap" in errors
    # A clip half as long fits.
    status, _, errors = command("augment", config, "--overwrite", "--set", "augment.seconds=0.125")
    assert status == 0, errors


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("size=[0, 2]", "augment.size.0: 0: should be "),
        ("size=[-1, 2]", "augment.size.0: -1: should be "),
        ("size=[2, 0.5]", "size: [2, 0.5] should be [low, high]"),
        ("size=[1, 100]", "augment.size.1: 100: should be "),
        ("size=[1, 15]", "13.3 is the most for it"),
        ("density=[0, 8]", "augment.density.0: 0: should be "),
        ("density=[1, 2.5]", "augment.density.1: 2.5: should be "),
        ("level=[0, -6]", "level: [0, -6] should be [low, high]"),
        ("channels=2", "has 1; take that, or 1 to mix them down"),
        ("n_clips=0", "augment.n_clips: 0: should be "),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_one_sentence_and_changes_nothing(
    change: str, sentence: str, cut: Cut, command: Run, config: Path, tmp_path: Path
) -> None:
    cut({"rain.wav": _noise(10)})
    status, _, errors = command("augment", config, "--set", f"augment.{change}")
    assert status == 2
    assert sentence in errors
    assert len(errors.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_one_value_for_everything_is_no_set_of_sliders(
    cut: Cut, command: Run, config: Path
) -> None:
    cut({"rain.wav": _noise(10)})
    status, _, errors = command(
        "augment", config, "--set", "augment.size=[1, 1]", "--set", "augment.density=[1, 1]"
    )
    assert status == 2
    assert "one should be a range" in errors


def test_a_dry_run_says_what_would_be_made_and_left_out(
    cut: Cut, command: Run, config: Path
) -> None:
    cut({"rain.wav": _noise(10), "short.wav": _noise(0.4)})
    status, said, _ = command("augment", config, "--dry-run")
    assert status == 0
    assert "40 clips from 1 recordings" in said
    assert "short.wav: has 0.25 s" in said


def test_five_thousand_recordings_are_planned_without_reading_a_sound(
    tmp_path: Path,
) -> None:
    n = 5000
    table = pd.DataFrame({"file_name": [f"audio/{index}.wav" for index in range(4 * n)]})
    table["source"] = np.repeat([f"recording {index}" for index in range(n)], 4)
    table["start_seconds"] = np.tile(np.arange(4) * SECONDS, n)
    write_dataset(tmp_path / "labels", table, sample_rate=RATE, seconds=SECONDS, controls=[])
    settings = Augment(n_clips=200)
    plan = plan_clips(read_dataset(tmp_path / "labels"), settings)
    parts = divided(plan.recordings, {}, settings.held_out, plan.shortest, 0)
    assert {part: len(each) for part, each in parts.items()} == {
        "train": 4000,
        "validation": 500,
        "test": 500,
    }
    draws = [
        draw
        for draw in Draws(settings, parts, RelativeLabels(settings), plan.samples_at_speed_1)
        if draw
    ]
    assert len({draw.source for draw in draws}) > 190
    for draw in draws:
        for layer in draw.layers:
            assert layer.begin >= 0
            assert layer.begin + draw.n_samples <= 4 * N
            assert layer.at[0] <= 0


@pytest.mark.parametrize(
    ("n_blocks", "parts"),
    [(1, {"train"}), (2, {"train", "validation"}), (3, {"train", "validation", "test"})],
)
def test_a_short_recording_is_trained_on_first(
    n_blocks: int, parts: set[str], tmp_path: Path
) -> None:
    table = pd.DataFrame({"file_name": ["a.wav"], "source": ["a"], "start_seconds": [0.0]})
    write_dataset(tmp_path, table, sample_rate=100, seconds=float(n_blocks), controls=[])
    recordings = recordings_of(read_dataset(tmp_path))
    assert set(divided(recordings, {}, HeldOut(), 100, 0)) == parts


def test_without_named_sounds_a_synthesiser_learns_from_the_augmented_set(config: Path) -> None:
    settings = load_config(config, SynthesisConfig)
    assert settings.sounds_folder == config.parent / "out" / "augmented"
    assert (
        load_config(config, SynthesisConfig, ["augment=null"]).sounds_folder
        == config.parent / "out" / "mtcrnn"
    )

"""The dataset folder holds what the plan says, however and in whatever pieces it was rendered."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from synthetic_datasets.colour import root_mean_square
from synthetic_datasets.engines.liquid import Liquid
from synthetic_datasets.level import volume_to_gain
from texturelib.dataset import read_dataset

Command = Callable[..., tuple[int, str, str]]
WriteConfig = Callable[..., Path]
Files = Callable[[Path], dict[str, bytes]]

# 1.2 bubbles a second, so that most clips of a tenth of a second hear none.
MOSTLY_SILENT = {
    "type": "liquid",
    "controls": {
        "avgRate": [0.0, 0.001],
        "minRadius": 0.3,
        "maxRadius": 0.31,
        "expRadius": 0.5,
    },
}


def test_the_folder_holds_the_planned_clips_and_says_how_they_were_made(
    command: Command, write_config: WriteConfig, tmp_path: Path
) -> None:
    status, out, err = command("generate", write_config(), "--workers", 1)

    dataset = read_dataset(tmp_path / "results")
    assert (status, err) == (0, "")
    assert "12 clips of 0.1 s" in out
    assert len(dataset) == 12
    assert dataset.metadata.columns.tolist() == [
        "file_name", "avgRate", "minRadius", "maxRadius", "expRadius", "volume", "peak_db", "lowered_db", "redraws",
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == [
        "README.md", "audio", "config.json", "dataset.json", "made.jsonl", "metadata.csv", "rejected.csv", "run.json",
    ]  # fmt: skip
    for index in range(12):
        assert dataset.clip(index).shape == (800,)  # 0.1 s at 8 kHz; clip() checks the rate
    rate = dataset.description["controls"][0]
    assert (rate["name"], rate["unit"], rate["used"]) == ("avgRate", "bubbles/s", [0.5, 0.75])
    assert dataset.description["provenance"]["engine"]["rise_factor"] == 0.0678


def test_the_plan_command_writes_the_table_of_the_clips_that_generate_makes(
    command: Command, write_config: WriteConfig, tmp_path: Path
) -> None:
    assert command("plan", write_config(), "--output", tmp_path / "table.csv")[0] == 0
    assert not (tmp_path / "results").exists()
    command("generate", write_config(), "--workers", 1)

    plan, metadata = (
        pd.read_csv(tmp_path / "table.csv"),
        pd.read_csv(tmp_path / "results" / "metadata.csv"),
    )
    metadata["file_name"] = metadata["file_name"].str.removeprefix("audio/")
    pd.testing.assert_frame_equal(metadata[plan.columns], plan)


def test_two_workers_write_the_same_bytes_as_one(
    command: Command, write_config: WriteConfig, tmp_path: Path, files: Files
) -> None:
    for workers in (1, 2):
        config = write_config(output=f"by_{workers}")
        assert command("generate", config, "--workers", workers)[0] == 0

    assert files(tmp_path / "by_1") == files(tmp_path / "by_2")


def test_a_sample_is_clips_of_the_whole_run_byte_for_byte(
    command: Command, write_config: WriteConfig, tmp_path: Path, files: Files
) -> None:
    command("generate", write_config(output="whole"), "--workers", 1)
    command("generate", write_config(output="sample"), "--workers", 1, "--sample", 4)

    whole, sample = files(tmp_path / "whole" / "audio"), files(tmp_path / "sample" / "audio")
    assert list(sample) == ["clip_1.wav", "clip_12.wav", "clip_5.wav", "clip_8.wav"]
    assert sample.items() <= whole.items()
    table, of_sample = (
        pd.read_csv(tmp_path / name / "metadata.csv") for name in ("whole", "sample")
    )
    pd.testing.assert_frame_equal(
        table[table["file_name"].isin(of_sample["file_name"])].reset_index(drop=True), of_sample
    )


def test_a_clip_sounds_the_same_whatever_else_is_rendered_with_it(
    command: Command, write_config: WriteConfig, tmp_path: Path, files: Files
) -> None:
    for n_clips in (4, 12):
        distribution = {"type": "random_uniform", "n_clips": n_clips}
        command(
            "generate", write_config(output=str(n_clips), distribution=distribution), "--workers", 1
        )

    assert files(tmp_path / "4" / "audio").items() <= files(tmp_path / "12" / "audio").items()


def test_clips_with_the_same_controls_are_different_takes(
    command: Command, write_config: WriteConfig, tmp_path: Path, files: Files
) -> None:
    distribution = {"type": "random_uniform", "n_clips": 4, "chance_new": 0}
    command("generate", write_config(distribution=distribution), "--workers", 1)

    assert len(set(files(tmp_path / "results" / "audio").values())) == 4


def test_the_level_follows_the_volume(
    command: Command, write_config: WriteConfig, tmp_path: Path
) -> None:
    # One fader position per set, the clips else the same: 12 dB and more below the loudest, so that
    # none is lowered.
    sounds = {}
    for volume in (0.5, 0.6):
        command(
            "generate",
            write_config(output=str(volume), volume={"low": volume, "high": volume}),
            "--workers",
            1,
        )
        dataset = read_dataset(tmp_path / str(volume))
        assert (dataset.metadata["lowered_db"] == 0).all()
        sounds[volume] = np.stack([dataset.clip(index) for index in range(12)])

    factor = volume_to_gain(0.6) / volume_to_gain(0.5)
    assert np.abs(sounds[0.6]).max() > 0.01
    # Half a step of 16 bits, in the quieter one multiplied.
    np.testing.assert_allclose(sounds[0.6], factor * sounds[0.5], atol=(1 + factor) * 2**-16)


def test_a_clip_that_would_be_too_loud_is_lowered_and_says_by_how_much(
    command: Command, write_config: WriteConfig, tmp_path: Path
) -> None:
    engine = {
        "type": "liquid",
        "controls": {"avgRate": [0.8, 0.9], "minRadius": 0.4, "maxRadius": 0.9, "expRadius": 0.1},
    }
    clips = {}
    for volume in (0.3, 1.0):
        config = write_config(
            output=str(volume), engine=engine, volume={"low": volume, "high": volume}
        )
        command("generate", config, "--workers", 1)
        dataset = read_dataset(tmp_path / str(volume))
        clips[volume] = (
            np.stack([dataset.clip(index) for index in range(12)]),
            dataset.metadata["lowered_db"].to_numpy(),
        )

    (quiet, none), (loud, lowered_db) = clips[0.3], clips[1.0]
    assert (none == 0).all()
    assert (lowered_db > 0).all()
    np.testing.assert_allclose(np.abs(loud).max(axis=1), 1, atol=2**-14)
    # The same sound, not one with its tops cut off. lowered_db has two decimals: 0.005 dB are a
    # factor of 1.0006.
    factor = volume_to_gain(1.0) / volume_to_gain(0.3) * 10 ** (-lowered_db[:, None] / 20)
    np.testing.assert_allclose(loud, factor * quiet, atol=(1 + factor.max()) * 2**-16 + 0.0006)


def test_what_is_done_and_unchanged_is_left_alone(
    command: Command, write_config: WriteConfig, tmp_path: Path
) -> None:
    command("generate", write_config(), "--workers", 1)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "results").rglob("*")}

    status, out, _ = command("generate", write_config(), "--workers", 2)

    assert status == 0
    assert "done and unchanged" in out
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "results").rglob("*")} == times


def test_a_changed_config_needs_overwrite_which_leaves_nothing_of_before(
    command: Command, write_config: WriteConfig, tmp_path: Path, files: Files
) -> None:
    command("generate", write_config(), "--workers", 1)
    before = files(tmp_path / "results")

    status, out, err = command("generate", write_config(), "--sample", 4)
    assert (status, out) == (2, "")
    assert "config changed: sample null -> 4" in err
    assert files(tmp_path / "results") == before

    assert command("generate", write_config(), "--sample", 4, "--overwrite", "--workers", 1)[0] == 0
    assert len(files(tmp_path / "results" / "audio")) == 4


def test_a_dry_run_says_what_would_happen_and_does_nothing(
    command: Command, write_config: WriteConfig, tmp_path: Path, files: Files
) -> None:
    before = files(tmp_path)
    # 36,000 clips of 0.1 s are an hour, and at 8 kHz and 16 bit 57.6 MB.
    config = write_config(distribution={"type": "random_uniform", "n_clips": 36_000})

    status, out, err = command("generate", config, "--dry-run")

    assert (status, err) == (0, "")
    assert "36000 clips of 0.1 s, 1.00 h, 58 MB (first run)" in out
    assert list(files(tmp_path)) == [*before, "config.json"]


class Broken:
    """The engine's render, with every fourth clip not a number."""

    def __init__(self, render: Callable[..., np.ndarray]) -> None:
        self.render, self.n_calls = render, 0

    def __call__(self, *arguments: Any) -> np.ndarray:
        self.n_calls += 1
        samples = self.render(*arguments)
        return samples if self.n_calls % 4 else samples * np.float32(np.nan)


@pytest.mark.parametrize(("max_rejected", "status"), [(0.25, 0), (0.1, 1)])
def test_clips_that_fail_are_listed_and_left_out_up_to_a_share(
    command: Command,
    write_config: WriteConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    max_rejected: float,
    status: int,
) -> None:
    broken = Broken(Liquid.render)
    monkeypatch.setattr(Liquid, "render", lambda *arguments: broken(*arguments))

    found, _, err = command("generate", write_config(max_rejected=max_rejected), "--workers", 1)

    rejected = pd.read_csv(tmp_path / "results" / "rejected.csv")
    assert found == status
    assert rejected["file"].tolist() == ["clip_4.wav", "clip_8.wav", "clip_12.wav"]
    assert set(rejected["reason"]) == {"the engine gave values that are not numbers"}
    if status == 0:
        dataset = read_dataset(tmp_path / "results")
        assert len(dataset) == 9
        assert "audio/clip_4.wav" not in set(dataset.metadata["file_name"])
        assert dataset.description["n_rejected"] == 3
    else:
        assert "3 of 12 files were left out, more than max_rejected = 0.1 allows" in err
        assert not (tmp_path / "results" / "dataset.json").exists()


class Run:
    """`python -m synthetic_datasets generate` with two workers, in a process group of its own, as a
    shell starts it."""

    def __init__(self, config: Path, *arguments: str) -> None:
        self.audio = config.parent / "results" / "audio"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "synthetic_datasets", "generate", config, "--workers", "2", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def hit(self, number: signal.Signals, n_clips: int) -> tuple[int, str]:
        """Send a signal to the group once that many clips are there. -> exit status and stderr."""
        while len(list(self.audio.glob("clip_*.wav"))) < n_clips:
            assert self.process.poll() is None, "it ended before it could be interrupted"
            time.sleep(0.002)
        os.killpg(self.process.pid, number)
        return self.end()

    def end(self) -> tuple[int, str]:
        _, err = self.process.communicate(timeout=120)
        return self.process.returncode, err


@pytest.mark.slow
def test_a_run_interrupted_then_finished_ends_with_the_bytes_of_an_undisturbed_one(
    command: Command, write_config: WriteConfig, tmp_path: Path, files: Files
) -> None:
    # Dense water: a second of rendering, so that the interruptions come in the middle.
    engine = {
        "type": "liquid",
        "controls": {"avgRate": [0.8, 0.95], "minRadius": 0.3, "maxRadius": 0.6, "expRadius": 0.5},
    }
    changes: dict[str, Any] = {
        "engine": engine,
        "seconds": 0.3,
        "sample_rate": 44100,
        "distribution": {"type": "random_uniform", "n_clips": 100},
    }
    config = write_config(**changes)

    assert Run(config).hit(signal.SIGINT, 10) == (
        130,
        "\nstopped; the same command goes on from here\n",
    )
    assert not list((tmp_path / "results").rglob(".part-*"))
    assert json.loads((tmp_path / "results" / "run.json").read_text())["finished"] is False
    assert not (tmp_path / "results" / "metadata.csv").exists()
    last = Run(config)
    assert last.end() == (0, "")
    assert last.process.stdout

    undisturbed = write_config(**changes, output="undisturbed")
    assert command("generate", undisturbed, "--workers", 1)[0] == 0
    assert files(tmp_path / "results") == files(tmp_path / "undisturbed")


def test_clips_are_16_bit_mono_at_the_configs_rate(
    command: Command, write_config: WriteConfig, tmp_path: Path
) -> None:
    command("generate", write_config(sample_rate=22050), "--sample", 1, "--workers", 1)

    header = soundfile.info(tmp_path / "results" / "audio" / "clip_1.wav")
    assert (header.subtype, header.channels, header.samplerate, header.frames) == (
        "PCM_16",
        1,
        22050,
        2205,
    )


def test_silent_clips_are_left_out_and_a_larger_share_of_them_can_be_allowed_afterwards(
    command: Command, write_config: WriteConfig, tmp_path: Path
) -> None:
    changes: dict[str, Any] = {
        "engine": MOSTLY_SILENT,
        "distribution": {"type": "random_uniform", "n_clips": 40},
        "silence": {"redraws": 0},
    }

    status, _, err = command("generate", write_config(**changes), "--workers", 1)
    assert status == 1
    assert "is silent" in err
    assert "max_rejected = 0.05" in err

    assert command("generate", write_config(**changes, max_rejected=0.99), "--workers", 1)[0] == 0
    kept = pd.read_csv(tmp_path / "results" / "metadata.csv")["file_name"]
    assert 0 < len(kept) < 40
    assert all(np.any(soundfile.read(tmp_path / "results" / name)[0]) for name in kept)


def test_a_silent_clip_is_drawn_again_with_the_same_controls_until_it_sounds(
    command: Command, write_config: WriteConfig, tmp_path: Path
) -> None:
    changes: dict[str, Any] = {"engine": MOSTLY_SILENT, "silence": {"redraws": 100}}

    assert command("generate", write_config(**changes), "--workers", 1)[0] == 0

    dataset = read_dataset(tmp_path / "results")
    assert len(dataset) == 12
    assert (dataset.metadata["redraws"] > 0).sum() > 3
    for index in range(12):
        assert dataset.clip(index).any()
    command("plan", write_config(**changes), "--output", tmp_path / "plan.csv")
    np.testing.assert_array_equal(
        dataset.metadata["avgRate"], pd.read_csv(tmp_path / "plan.csv")["avgRate"]
    )


def test_quiet_clips_pass_where_nobody_asks_for_silence_to_be_found(
    command: Command, write_config: WriteConfig, tmp_path: Path
) -> None:
    config = write_config(engine=MOSTLY_SILENT)
    config.write_text(json.dumps(json.loads(config.read_text()) | {"silence": None}))

    assert command("generate", config, "--workers", 1)[0] == 0

    dataset = read_dataset(tmp_path / "results")
    assert not all(dataset.clip(index).any() for index in range(12))


def test_noise_lies_under_the_clip_at_the_level_that_its_row_says(
    command: Command, write_config: WriteConfig, tmp_path: Path
) -> None:
    noise = {"level_db": [-30, -10], "slope_db_per_octave": [-3, -3]}
    command("generate", write_config(output="clean"), "--workers", 1)
    command("generate", write_config(output="noisy", noise=noise), "--workers", 1)

    clean, noisy = read_dataset(tmp_path / "clean"), read_dataset(tmp_path / "noisy")
    levels = noisy.metadata["noise_db"]
    assert levels.between(-30, -10).all()
    assert levels.nunique() == 12
    for index in range(12):
        undone = [
            10 ** (d.metadata["lowered_db"][index] / 20) * d.clip(index) for d in (clean, noisy)
        ]
        added = undone[1] - undone[0]
        # 0.1 dB: both clips are rounded to 16 bits, and lowered_db to two decimals.
        # Their root mean squares, and not level_dbfs, which leaves out what the noise has of a mean in a tenth of a second.
        ratio = root_mean_square(added) / root_mean_square(undone[0])
        assert 20 * np.log10(ratio) == pytest.approx(levels[index], abs=0.1)

"""The short way in its smallest size: recordings, made here of noise and dying tones, to a page of
instruments, with no engine, no labels and no extractor."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from ..warm import Warm

pytestmark = pytest.mark.slow  # half a minute, before the first test

ROOT = Path(__file__).parents[2]
RATE = 44100

# The smallest sizes that work; with them nothing is learnt that is worth hearing.
SMALL = (
    "real.seconds=0.5",
    'grains.augment={"n_clips": 40, "seconds": 0.5}',
    'grains.linearise={"values": 3, "seeds": 1, "seconds": 0.5}',
    'grains.generate={"values": 2, "seconds": 0.2, "sweep_seconds": 0.2}',
    'grains.evaluate={"values": 3, "seeds": 2, "seconds": 0.5, "clips": 2, "baselines": false}',
    'texenv.synthesiser={"type": "texenv", "seconds": 0.25, "n_bands": 8, "channels": 8, "num_steps": 4, "checkpoint": 2}',
    'texenv.linearise={"values": 3, "seeds": 1, "seconds": 0.5}',
    'texenv.generate={"values": 2, "seconds": 0.2, "sweep_seconds": 0.2}',
    'texenv.evaluate={"values": 3, "seeds": 2, "seconds": 0.5, "clips": 2, "baselines": false}',
)
OPTIONS = [word for change in SMALL for word in ("--set", change)]
COMMANDS = [
    "real-datasets build",
    "conditioned-synthesis augment",
    *["conditioned-synthesis train", "conditioned-synthesis linearise"],
    *["conditioned-synthesis generate", "conditioned-synthesis evaluate"],
]


def drops(seed: int, seconds: float) -> np.ndarray:
    """Return [samples, 2]: short dying tones over a little noise, each somewhere between the channels."""
    rng = np.random.default_rng(seed)
    samples = 0.003 * rng.standard_normal((round(seconds * RATE), 2))
    time = np.arange(2000) / RATE
    for start in rng.integers(0, len(samples) - len(time), round(25 * seconds)):
        tone = np.exp(-200 * time) * np.sin(2 * np.pi * rng.uniform(600, 3000) * time)
        samples[start : start + len(time)] += 0.2 * tone[:, None] * rng.uniform(0.2, 1.0, 2)
    return 0.5 * samples / np.abs(samples).max()


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("short") / "my recordings"
    folder.mkdir()
    soundfile.write(folder / "a tap.wav", drops(1, 8.0), RATE)
    soundfile.write(folder / "a gutter.flac", drops(2, 8.0), RATE)
    return folder


@pytest.fixture(scope="module")
def results(recordings, tmp_path_factory, warm: Warm):
    folder = tmp_path_factory.mktemp("short_results")
    errors = folder / "errors.txt"
    arguments = ["configs/instrument", "--recordings", str(recordings)]
    run = warm.start(
        "texture_pipeline",
        [*arguments, "--output", str(folder / "results"), *OPTIONS],
        ROOT,
        errors=str(errors),
        environment={"LOKY_MAX_CPU_COUNT": "1"},
    )
    assert run.wait() == 0, errors.read_text()
    shown = [" ".join(line.split()[1:3]) for line in run.said.splitlines() if line[:2] == "$ "]
    assert shown == COMMANDS + COMMANDS[2:]
    return folder / "results"


@pytest.fixture
def page(results, read_page):
    return read_page(results / "page")


def test_the_page_leads_from_recordings_by_what_can_be_heard_to_instruments(page):
    assert {"real", "heard", "grains", "texenv"} <= page.ids
    assert not {"synthetic", "labels", "synthesis"} & page.ids
    assert [f"#{name}" for name in ("real", "heard", "grains", "texenv")] == [
        link for link in page.links if link.startswith("#")
    ]


def test_the_page_says_of_each_recording_what_is_heard_of_each_slider(page, results):
    heard = pd.read_csv(results / "grains" / "augmented" / "heard.csv")
    assert set(heard["source"]) == {"a tap.wav", "a gutter.flac"}
    assert set(heard["control"]) == {"size", "density"}
    rows = page.tables["What can be heard"][1:]
    assert [row[:3] for row in rows] == heard[["source", "control", "word"]].to_numpy().tolist()


def test_the_page_plays_each_slider_of_each_instrument(page, results):
    for name in ("grains", "texenv"):
        examples = pd.read_csv(results / name / "examples" / "examples.csv")
        assert examples.groupby("control")["file_name"].count().to_dict() == {
            "size": 3,
            "density": 3,
        }
    # Values are in the slider's unit, the last sound's from one end to the other.
    assert len(re.findall(r"\b\d(?:\.\d+)? to \d(?:\.\d+)? x\b", page.text)) == 4


def test_the_page_says_how_well_each_slider_is_followed(page):
    rows = page.tables["How well it follows"]
    assert [row[0] for row in rows if len(row) > 2].count("size") == 2


def test_sounds_are_at_the_recordings_rate_with_their_channels(results):
    examples = sorted((results / "grains" / "examples").glob("*.wav"))
    assert {soundfile.info(path).samplerate for path in examples} == {RATE}
    assert {soundfile.info(path).channels for path in examples} == {2}


def test_every_link_leads_to_a_file_of_the_page(page, results):
    for link in page.links:
        if not link.startswith("#"):
            assert (results / "page" / link).stat().st_size > 0


def test_the_second_time_nothing_is_done_again(recordings, results, command):
    arguments = ["configs/instrument", "--recordings", recordings, "--output", results, *OPTIONS]
    status, out, err = command(*arguments)
    assert (status, err) == (0, "")
    assert out.count("done and unchanged") == len(COMMANDS + COMMANDS[2:]) + 1


def test_one_recording_is_enough_and_what_is_too_short_for_a_clip_is_named(
    recordings, command, tmp_path
):
    status, out, _ = command(
        "configs/instrument", "--recordings", recordings / "a tap.wav", "--dry-run"
    )
    assert status == 0
    assert out.count("instrument_a tap") > 0
    short = tmp_path / "short.wav"
    soundfile.write(short, drops(3, 0.3), RATE)
    status, _, err = command(
        "configs/instrument", "--recordings", short, "--output", tmp_path / "results"
    )
    assert status == 1
    assert "short.wav" in err
    assert "Traceback" not in err
    shutil.rmtree(tmp_path / "results")

"""`texture-doctor` finds everything that would end hours of work, says what to do about it, and
touches nothing."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import requires
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from real_datasets.cli import app as stage_2
from synthetic_datasets.cli import app as stage_1
from texture_pipeline.doctor.cli import app
from texturelib.audio import write_wav
from texturelib.files import shown

ROOT = Path(__file__).parents[2]


class Said(NamedTuple):
    """findings: (area, level, what was found and what to do), in order. commands: by name, what the
    report says of each."""

    status: int
    verdict: str
    findings: list[tuple[str, str, str]]
    commands: dict[str, dict[str, Any]]

    @property
    def to_mend(self) -> list[str]:
        return [words for _, level, words in self.findings if level == "NO"]

    @property
    def notes(self) -> list[str]:
        return [words for _, level, words in self.findings if level == "note"]

    def becomes(self, command: str) -> str:
        return self.commands[command]["becomes"]


@pytest.fixture
def examined(run_command, tmp_path, tmp_path_factory, monkeypatch) -> Callable[..., Said]:
    """Run the doctor; nothing in tmp_path may change by it, and nothing temporary may stay."""
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.chdir(ROOT)

    def contents() -> dict[Path, tuple[int, int]]:
        return {
            path: (path.lstat().st_mtime_ns, path.lstat().st_size) for path in tmp_path.rglob("*")
        }

    def run(*arguments: object) -> Said:
        before = contents()
        done = run_command(app, *arguments, "--json")
        assert contents() == before
        assert not list(temporary.glob("texture-doctor-*"))
        report = json.loads(done.out)
        assert report["go"] == (done.status == 0)
        findings = [
            (each["area"], each["level"], f"{each['found']}: {each['mend']}")
            for each in report["findings"]
        ]
        commands = {each["command"]: each for each in report.get("commands", [])}
        return Said(done.status, report["verdict"], findings, commands)

    return run


@pytest.fixture
def small(sound, small_options) -> list[object]:
    """The demo in its smallest size, quickly looked at."""
    return [sound, "--quick", *small_options]


@pytest.fixture
def own(small_options) -> Callable[[str], list[str]]:
    """Return what the command line of a single stage has to say for the smallest size."""

    def changes(stage: str) -> list[str]:
        words = [word for word in small_options if word.startswith(f"{stage}.")]
        return [part for word in words for part in ("--set", word.removeprefix(f"{stage}."))]

    return changes


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Three, each of two seconds."""
    folder = tmp_path / "river"
    folder.mkdir()
    for number in range(3):
        write_wav(
            folder / f"{number}.wav", np.random.default_rng(number).normal(0, 0.1, 2 * 44100), 44100
        )
    return folder


@pytest.mark.slow
def test_the_demo_may_go_and_every_command_has_its_time_and_its_bytes(
    sound, small_options, examined, tmp_path
):
    said = examined(sound, *small_options)
    assert (said.status, said.verdict, said.to_mend) == (0, "go", [])
    assert len(said.commands) == 21
    for command, each in said.commands.items():
        low, high = each["time"]["seconds"]
        assert 0 < low < high, command
        assert each["bytes"] > 0, command
        assert each["time"]["measured"], command
        assert each["folder"].startswith(str(tmp_path / "results" / "demo")), command
    # 60 clips of 0.25 s at 44.1 kHz in 16 bits are 1.3 MB; a block for each file, and as much for the row that tells of it.
    assert 1.3e6 < said.commands["synthetic-datasets generate synthetic.json"]["bytes"] < 1.7e6


def test_without_an_argument_the_environment_is_looked_at(examined):
    said = examined()
    assert {area for area, _, _ in said.findings} == {"environment"}
    assert said.status == 0
    assert any("torch 2.13.0" in words and "soundata" in words for _, _, words in said.findings)


def test_a_person_reads_a_line_per_check_and_the_verdict_last(small, run_command, monkeypatch):
    monkeypatch.chdir(ROOT)
    done = run_command(app, *small, "--set", "synthetic.sede=3")
    assert done.status == 2
    lines = done.out.splitlines()
    assert lines[-1] == "no: 1 thing to mend"
    assert any(line.startswith("  ok    ") for line in lines)
    assert any(line.startswith("  NO    ") and "sede" in line for line in lines)
    assert max(len(line) for line in lines) <= 130


def test_the_program_goes_by_its_exit_status(sound, warm, tmp_path):
    words = [str(sound / "synthetic.json"), "--quick"]
    run = warm.start("texture_pipeline.doctor", words, tmp_path)
    assert (run.wait(), run.said.splitlines()[-1]) == (0, "go"), run.said
    (sound / "synthetic.json").write_text("{")
    assert warm.start("texture_pipeline.doctor", words, tmp_path).wait() == 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nowhere"], "nowhere: no such folder"),
        (["pyproject.toml"], "of which stage is it?"),
        (["configs/demo", "--set", "synthetc.seed=5"], "for STAGE"),
        (["configs/demo/real.json", "--recordings", "river"], "go with a sound's folder"),
        (["--set", "seed=5"], "name a config"),
        (["configs/demo", "--outptu", "x"], "--outptu"),
    ],
)
def test_wrong_usage_is_one_sentence_and_no_report(run_command, monkeypatch, arguments, expected):
    monkeypatch.chdir(ROOT)
    done = run_command(app, *arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert expected in done.err


# config


def test_everything_that_is_wrong_with_the_configs_is_said_at_once(small, examined, change):
    change("synthetic", sede=1, seed=-1)
    change("real", sample_rte=5)
    said = examined(*small)
    assert said.status == 2
    assert said.verdict == "no: 3 things to mend"
    for expected in (
        'synthetic.json: sede: no such key (did you mean "seed"',
        "synthetic.json: seed: -1",
        "real.json: sample_rte",
    ):
        assert sum(expected in words for words in said.to_mend) == 1, expected
    # What only follows from that is no further thing to mend.
    assert any(
        "train-extractor" in words and "before the configs are mended" in words
        for words in said.notes
    )


def test_a_config_of_any_name_is_known_by_its_schema(sound, examined):
    shutil.move(sound / "synthetic.json", sound / "mine.json")
    content = json.loads((sound / "mine.json").read_text()) | {
        "$schema": "../schemas/synthetic.json"
    }
    (sound / "mine.json").write_text(json.dumps(content))
    said = examined(sound / "mine.json", "--quick", "--set", "distribution.n_clips=4")
    assert said.status == 0
    assert list(said.commands) == ["synthetic-datasets generate mine.json"]


def test_what_no_command_makes_and_is_not_there_is_said(small, examined, change, sound):
    change("real", source={"type": "folder", "path": "../../my_recordings"})
    said = examined(*small)
    assert said.status == 2
    assert len(said.to_mend) == 1
    assert "my_recordings: no such file or folder" in said.to_mend[0]
    said = examined(sound / "real.json", "--quick")
    assert said.status == 1
    assert "my_recordings: no such file or folder" in said.to_mend[0]


# commands and outputs


def test_an_output_that_is_not_ours_is_refused_and_stays(small, examined, tmp_path):
    thesis = tmp_path / "results" / "demo" / "adaptation" / "adapted" / "thesis.docx"
    thesis.parent.mkdir(parents=True)
    thesis.write_text("three years of work")
    said = examined(*small)
    assert said.status == 1
    assert len(said.to_mend) == 1
    assert "adapt adaptation.json: output:" in said.to_mend[0]
    assert (
        "holds files that this toolkit did not make; name an empty or a new folder"
        in said.to_mend[0]
    )


def test_what_is_done_is_skipped_and_what_follows_from_a_change_is_made_anew(
    small, examined, sound, own, run_command
):
    simulate, build = (
        "synthetic-datasets simulate-recordings recordings.json",
        "real-datasets build real.json",
    )
    make = ["simulate-recordings", sound / "recordings.json", *own("recordings"), "--workers", "1"]
    assert run_command(stage_1, *make).status == 0
    assert (
        run_command(stage_2, "build", sound / "real.json", *own("real"), "--workers", "1").status
        == 0
    )
    said = examined(*small)
    assert (said.becomes(simulate), said.becomes(build)) == ("skipped", "skipped")
    assert said.becomes("synthetic-datasets generate synthetic.json") == "made"
    said = examined(*small, "--set", "recordings.seed=9")
    assert said.status == 0
    assert (said.becomes(simulate), said.becomes(build)) == ("replaced", "replaced")
    n_files = sum(
        path.is_file() for path in (sound.parents[1] / "results" / "demo" / "recordings").rglob("*")
    )
    assert n_files > 3 * 7  # recordings
    removes = (
        f"config changed: seed 1 -> 9; would remove {n_files} files; what is there is replaced"
    )
    assert any(removes in words for words in said.notes)
    assert any(build in words and "what it reads is made anew" in words for words in said.notes)
    # The command by itself would refuse.
    said = examined(sound / "recordings.json", "--quick", *own("recordings"), "--set", "seed=9")
    assert any("is replaced with --overwrite, and refused without" in words for words in said.notes)


# environment


def test_a_package_that_an_extra_asks_for_and_is_not_there_is_named(
    small, examined, sound, monkeypatch
):
    lines = [
        "numpy>=99",
        *(requires("texture-toolkit") or []),
        'texture-nothing>=1; extra == "adaptation"',
    ]
    monkeypatch.setattr("texturelib.extras.requires", lambda _: lines)
    said = examined(*small)
    assert said.status == 1
    assert any(
        'texture-nothing>=1 is not installed: pip install "texture-nothing>=1"' in words
        for words in said.to_mend
    )
    assert any("numpy is" in words and ">=99 is needed" in words for words in said.to_mend)
    # Stage 1 does not need it.
    said = examined(sound / "synthetic.json", "--quick")
    assert not any("texture-nothing" in words for words in said.to_mend)


def test_a_package_that_is_there_but_does_not_import_is_named(small, examined, monkeypatch):
    for name in ("lightning_fabric", "numba"):
        monkeypatch.setitem(sys.modules, name, None)
    said = examined(*small)
    assert said.status == 1
    assert any(
        "lightning-fabric is installed but does not import" in words for words in said.to_mend
    )
    assert examined().status == 1


def test_pure_data_is_missed_only_where_the_engine_plays_it(
    small, examined, sound, monkeypatch, tmp_path
):
    monkeypatch.setenv("PATH", str(tmp_path))
    content = json.loads((sound / "synthetic.json").read_text())
    content["engine"] = {
        "type": "puredata",
        "patch": "liquid",
        "controls": content["engine"]["controls"],
    }
    (sound / "pd.json").write_text(json.dumps(content))
    said = examined(sound / "pd.json", "--quick")
    assert said.status == 1
    assert any(
        "pd.json: Pure Data is not installed" in words and "apt-get install" in words
        for words in said.to_mend
    )
    assert examined(sound / "pd.json").to_mend == said.to_mend  # and is said once
    assert examined(sound / "synthetic.json", "--quick").status == 0
    said = examined()
    assert said.status == 0
    assert any(
        "Pure Data is not installed" in words and "only patches need it" in words
        for words in said.notes
    )


def test_an_accelerator_that_is_asked_for_and_not_there_is_said(small, examined):
    import torch

    if torch.backends.mps.is_available():
        pytest.skip("needs a machine that is no Mac with a GPU")
    said = examined(*small, "--set", "adaptation.compute.accelerator=mps")
    assert said.status == 1
    assert len(said.to_mend) == 1
    assert 'adaptation.json: compute: "mps" in 1, "32-true" cannot be had here' in said.to_mend[0]


# data


def test_recordings_that_are_cut_off_are_counted_and_too_many_are_a_reason_to_stop(
    small, examined, recordings, small_options
):
    changes = [
        word for word in small_options if word != "--set" and not word.startswith("recordings.")
    ]
    arguments = [
        small[0],
        "--quick",
        "--recordings",
        recordings,
        *(word for each in changes for word in ("--set", each)),
    ]
    assert examined(*arguments).status == 0
    whole = (recordings / "1.wav").read_bytes()
    (recordings / "1.wav").write_bytes(whole[: len(whole) // 2])
    said = examined(*arguments)
    assert said.status == 0
    assert any(
        "1 of 3 are left out (1.wav: cut off: 50% of it is there)" in words for words in said.notes
    )
    said = examined(*arguments, "--set", "real.max_rejected=0")
    assert said.status == 1
    assert any("1 of 3 recordings cannot be used" in words for words in said.to_mend)
    said = examined(
        *arguments,
        "--set",
        "real.seconds=3",
        "--set",
        "synthetic.seconds=3",
        "--set",
        "instrument.linearise.seconds=3",
    )
    assert any(
        "none of the recordings can be used" in words and "shorter than a segment of 3 s" in words
        for words in said.to_mend
    )


def test_clips_of_two_lengths_do_not_go_together(small, examined):
    said = examined(
        *small, "--set", "real.seconds=0.5", "--set", "instrument.linearise.seconds=0.1"
    )
    assert said.status == 2
    assert any(
        "seconds of the real clips is 0.5, but the synthetic set's is 0.25" in words
        for words in said.to_mend
    )
    assert any(
        "linearise.seconds: 0.1: the labeller reads clips of 0.5 s" in words
        for words in said.to_mend
    )


def test_a_set_whose_table_names_a_file_that_is_gone_is_refused(examined, sound, own, run_command):
    make = [
        "generate",
        sound / "synthetic.json",
        *own("synthetic"),
        "--set",
        "distribution.n_clips=4",
        "--workers",
        "1",
    ]
    assert run_command(stage_1, *make).status == 0
    results = sound.parents[1] / "results" / "demo"
    shutil.copytree(results / "synthetic", results / "real")
    small_set = [
        sound / "adaptation.json",
        "--quick",
        "--set",
        'split={"train": 0.5, "validation": 0.25, "test": 0.25}',
    ]
    assert examined(*small_set).status == 0
    gone = sorted((results / "synthetic" / "audio").glob("*.wav"))[0]
    gone.unlink()
    said = examined(*small_set)
    assert said.status == 1
    assert any(
        f"{gone.name}: no such file, but metadata.csv names it" in words for words in said.to_mend
    )
    # By default a twentieth of the clips is held out, and of four that is none.
    assert any(
        "its 4 clips are too few" in words
        for words in examined(sound / "adaptation.json", "--quick").to_mend
    )


def test_an_engine_that_makes_nothing_but_silence_is_found_out(sound, examined, change):
    quiet = {
        "silence": {"below_dbfs": -0.5, "redraws": 0},
        "distribution": {"type": "sobol", "n_clips": 64},
        "seconds": 0.05,
    }
    change("synthetic", **quiet)
    said = examined(sound / "synthetic.json")
    assert said.status == 1
    assert any(
        "synthetic.json: none of" in words and "is silent" in words for words in said.to_mend
    )


# disk


def test_a_disk_that_is_too_small_is_found_before_it_is_full(small, examined, disk):
    place = disk("size=1m")
    said = examined(*small, "--output", place / "results")
    assert said.status == 1
    assert len(said.to_mend) == 1
    assert "will be written to the disk of" in said.to_mend[0]
    assert "make room, or name an output on another disk" in said.to_mend[0]


def test_an_output_that_is_a_link_to_a_smaller_disk_is_measured_there(
    small, examined, disk, tmp_path
):
    place = disk("size=1m")
    (tmp_path / "results" / "demo").mkdir(parents=True)
    (tmp_path / "results" / "demo" / "adaptation").symlink_to(place)
    said = examined(*small)
    assert said.status == 1
    assert len(said.to_mend) == 1
    assert shown(place) in said.to_mend[0]


def test_more_bytes_than_are_free_are_too_many(small, examined, monkeypatch):
    usage = shutil.disk_usage(ROOT)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    said = examined(*small)
    assert said.status == 1
    assert any("0 MB are free" in words for words in said.to_mend)


def test_more_files_than_there_is_room_for_are_too_many(small, examined, disk):
    place = disk("size=1g,nr_inodes=50")
    said = examined(*small, "--output", place / "results")
    assert said.status == 1
    assert any(
        "files will be written" in words and "has room for" in words for words in said.to_mend
    )


def test_help_does_not_import_what_takes_long():
    words = (
        "import sys; from texture_pipeline.doctor.cli import app; "
        "print(sorted({'torch', 'numpy', 'numba'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", words], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"


def test_clips_that_do_not_fit_into_memory_are_to_mend(small, examined, monkeypatch):
    monkeypatch.setattr("synthetic_datasets.clip_memory.memory", lambda: (2**34, 2**33))
    said = examined(*small, "--set", "synthetic.seconds=86400", "--set", "recordings.seconds=86400")
    for name in ("synthetic", "recordings"):
        assert any(
            f"{name}.json: seconds: 86400: rendering a clip takes" in words
            for words in said.to_mend
        ), said.to_mend

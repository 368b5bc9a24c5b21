"""`real-datasets build` says what it does, does it once, and ends with the right status."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest


def test_the_program_cuts_a_folder_and_the_second_time_finds_nothing_to_do(
    record, config, noise, tmp_path
):
    record("river.wav", np.concatenate([noise(2), np.zeros(4410)]))
    record("text.wav", b"Dear diary")
    command = [sys.executable, "-m", "real_datasets", "build", config.name, "--workers", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "real: segments of 0.1 s (first run)"
    assert (
        "real: 2 segments of 0.1 s from 2 recordings (1 left out; segments left out: 1 silent), in "
        in done.stdout
    )
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "real").rglob("*")}
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout, again.stderr) == (
        0,
        "real: segments of 0.1 s: done and unchanged\n",
        "",
    )
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "real").rglob("*")} == written


def test_the_program_fails_with_one_sentence_and_no_traceback(config, tmp_path):
    command = [sys.executable, "-m", "real_datasets", "build", config.name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "source.path: recordings: no such file or folder\n",
    )


@pytest.mark.parametrize("number_of_workers", ["1", "2"])
def test_any_number_of_workers_will_do(record, config, noise, command, contents, number_of_workers):
    for index in range(4):
        record(f"river_{index}.wav", noise(2))
    assert command("build", config, "--workers", number_of_workers)[0] == 0
    assert len([name for name in contents("real/audio") if name.endswith(".wav")]) == 8


def test_the_table_is_one_that_others_read(record, config, noise, command, tmp_path):
    record("b/river.wav", noise(2))
    record("a.flac", noise(1))
    command("build", config, "--workers", "1")
    table = pd.read_csv(tmp_path / "real" / "metadata.csv")
    assert table.columns[0] == "file_name"  # where Hugging Face's audiofolder looks
    assert table["file_name"].tolist() == [
        "audio/a_1.wav",
        "audio/river_1.wav",
        "audio/river_2.wav",
    ]
    assert all((tmp_path / "real" / name).is_file() for name in table["file_name"])


def test_the_written_config_makes_the_same_set_again(
    record, config, noise, command, contents, tmp_path
):
    record("river.wav", noise(2))
    command("build", config, "--workers", "1", "--set", "silence.level_dbfs=-40")
    status, _, _ = command(
        "build",
        tmp_path / "real" / "config.json",
        "--workers",
        "1",
        "--set",
        f"output={tmp_path / 'again'}",
    )
    assert status == 0
    first = {name.removeprefix("real/"): content for name, content in contents("real").items()}
    assert {
        name.removeprefix("again/"): content for name, content in contents("again").items()
    } == first


def test_a_recording_that_was_added_is_noticed_and_nothing_replaced_unasked(
    record, config, noise, command, contents
):
    record("river.wav", noise(1))
    command("build", config, "--workers", "1")
    before = contents("real")
    record("rain.wav", noise(1))
    status, _, error = command("build", config, "--workers", "1")
    assert status == 2
    assert error.count("\n") == 1
    assert "input changed: source.path" in error
    assert "--overwrite" in error
    assert contents("real") == before
    status, printed, _ = command("build", config, "--workers", "1", "--overwrite")
    assert status == 0
    assert "(input changed: source.path)" in printed
    assert {"real/audio/river_1.wav", "real/audio/rain_1.wav"} <= contents("real").keys()


@pytest.mark.parametrize(
    ("options", "status", "expected"),
    [
        (
            ["--set", "max_rejected=0.4"],
            1,
            "1 of 2 files were left out, more than max_rejected = 0.4 allows",
        ),
        (["--set", "second=1"], 2, 'second: no such key (did you mean "seconds"?'),
        (["--set", "seconds=0"], 2, "seconds: 0: should be greater than or equal to 0.01"),
        (["--set", "seconds=1e-9"], 2, "seconds: 1e-09: should be greater than or equal to 0.01"),
        (
            ["--set", "silence.level_dbfs=3"],
            2,
            "silence.level_dbfs: 3: should be less than or equal to 0",
        ),
        (["--set", "silence.share=0"], 2, "silence.share: 0: should be greater than 0"),
        # What it was called.
        (["--set", "silence_dbfs=-40"], 2, "silence_dbfs: no such key (did you mean"),
        (["--set", "fade_ms=51"], 2, "fade_ms: 51 twice is longer than a segment of 0.1 s"),
        (
            ["--set", "channel=0"],
            2,
            'channel: 0 should be "mix" or the number of a channel, from 1',
        ),
        (["--set", "channel=true"], 2, 'channel: true should be "mix" or'),
        (["--set", "channels=0"], 2, 'channels: 0 should be "all" or a number of channels, 1 to 8'),
        (["--set", "channels=9"], 2, 'channels: 9 should be "all" or a number of channels, 1 to 8'),
        (["--set", "channels=two"], 2, 'channels: "two" should be "all" or a number of channels'),
        (
            ["--set", "channels=2", "--set", "channel=1"],
            2,
            "channel: 1 takes one channel of each recording, but channels is 2; set one of the two",
        ),
        (["--set", "source.pth=x"], 2, 'source.pth: no such key (did you mean "path"?'),
        (["--set", "source.tags_from=3"], 2, "source.tags_from: 3: should be"),
        (
            ["--set", "hop_seconds=1e308"],
            2,
            "hop_seconds: 1e+308: should be less than or equal to 86400",
        ),
        (["--set", "resampling=fine"], 2, "resampling: "),
        (["--set", "hop_seconds=0"], 2, "hop_seconds: 0: should be greater than or equal to 0.01"),
        (["--set", "most_per_recording=0"], 2, "most_per_recording: 0: should be greater than 0"),
        (
            ["--set", "clipping.run=1000000000"],
            2,
            "clipping.run: 1000000000: should be less than or equal to 1000",
        ),
        (
            ["--set", 'split={"train": 0.8, "validation": 0.1, "test": 0.2}'],
            2,
            "should add up to 1, and are 1.1",
        ),
        (["--set", "source.type=foldr"], 2, 'source.type: there is no "foldr" (did you mean'),
        (["--worker", "2"], 2, "--workers"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_its_status(
    record, config, noise, command, options, status, expected
):
    record("river.wav", noise(1))
    record("text.wav", b"Dear diary")
    found, _, error = command("build", config, "--workers", "1", *options)
    assert found == status
    assert error.count("\n") == 1
    assert expected in error


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (None, "recordings: no such file or folder"),
        ([], "recordings: is empty; it should hold files"),
        (["notes.txt"], "source.path: "),
        ([".hidden.wav"], "recordings: is empty; it should hold files"),
    ],
)
def test_a_folder_that_is_missing_or_holds_no_sound_is_one_sentence_and_nothing_is_written(
    config, command, contents, tmp_path, files, expected
):
    if files is not None:
        (tmp_path / "recordings").mkdir()
        for name in files:
            (tmp_path / "recordings" / name).write_text("no sound")
    before = contents()
    status, _, error = command("build", config)
    assert status == 1
    assert error.count("\n") == 1
    assert expected in error
    assert contents() == before
    assert not (tmp_path / "real").exists()


@pytest.mark.parametrize("output", ["recordings", "recordings/real", "."])
def test_output_and_recordings_do_not_lie_within_one_another(
    record, config, noise, command, contents, tmp_path, output
):
    # Within, the segments would be recordings the next time; around, --overwrite would take the
    # recordings away.
    record("river.wav", noise(1))
    before = contents()
    status, _, error = command(
        "build", config, "--overwrite", "--set", f"output={tmp_path / output}"
    )
    assert status == 2
    assert error.count("\n") == 1
    assert "output: " in error
    assert contents() == before


def test_a_link_does_not_hide_that_the_output_lies_in_the_recordings(
    record, config, noise, command, tmp_path
):
    record("river.wav", noise(1))
    (tmp_path / "real").symlink_to(tmp_path / "recordings")
    assert command("build", config)[0] == 2


def test_a_dry_run_says_how_much_it_would_be_and_changes_nothing(
    record, config, noise, command, contents
):
    record("river.wav", noise(3))  # 0.3 s / 0.1 s is 2.9999999999999996 to a computer
    record("rain.wav", np.zeros((2 * 4410, 2)))
    record("text.wav", b"Dear diary")
    before = contents()
    status, printed, _ = command("build", config, "--dry-run")
    assert status == 0
    # 5 x 4410 samples of 2 bytes are 44 kB
    assert (
        "3 recordings (1 unreadable), at most 5 segments of 0.1 s, 0.00 h, 0 MB (first run)"
        in printed
    )
    assert contents() == before


def test_a_dry_run_counts_segments_that_overlap_and_only_recordings_that_are_wanted(
    record, config, noise, command
) -> None:
    record("Stream/a.wav", noise(3))
    record("Fire/b.wav", noise(30))
    record("Stream/too short.wav", noise(0.9))
    options = [
        "hop_seconds=0.05",
        "source.tags_from=folders",
        'tags={"policy": "exactly", "wanted": ["Stream"]}',
    ]
    status, printed, _ = command(
        "build", config, "--dry-run", *(word for option in options for word in ("--set", option))
    )
    assert status == 0
    # From 0, 0.05, 0.1, 0.15 and 0.2 s.
    assert "2 recordings (0 unreadable), at most 5 segments of 0.1 s" in printed


def test_a_dry_run_after_a_run_says_what_has_changed(record, config, noise, command, contents):
    record("river.wav", noise(3))
    command("build", config, "--workers", "1")
    before = contents()
    assert "done and unchanged" in command("build", config, "--dry-run")[1]
    said = command("build", config, "--dry-run", "--set", "seconds=0.15")[1]
    n_files = sum(name.startswith("real/") for name in before)
    assert f"(config changed: seconds 0.1 -> 0.15; would remove {n_files} files)" in said
    assert contents() == before


def test_a_dry_run_waits_for_recordings_that_an_earlier_command_has_yet_to_make(
    config, command, tmp_path
):
    status, printed, _ = command("build", config, "--dry-run")
    assert status == 0
    assert "segments of 0.1 s (waits: " in printed
    assert "recordings: no such file or folder" in printed
    assert not (tmp_path / "real").exists()


def test_a_stopped_run_is_gone_on_with(record, config, noise, command, contents, tmp_path):
    record("rain.wav", noise(1))
    record("river.wav", noise(2))
    record("text.wav", b"Dear diary")
    assert (
        command("build", config, "--workers", "1", "--set", f"output={tmp_path / 'again'}")[0] == 0
    )
    uninterrupted = {
        name.removeprefix("again/"): content for name, content in contents("again").items()
    }

    # One bad recording of three is too many for this run, so that it ends with a journal.
    # max_rejected is not in the result.
    assert command("build", config, "--workers", "1", "--set", "max_rejected=0.1")[0] == 1
    journal = tmp_path / "real" / "journal.jsonl"
    first, second, _ = journal.read_text().splitlines(keepends=True)
    assert first.startswith('["rain.wav"')
    journal.write_text(first + second[:20])  # as a kill leaves it
    for path in (tmp_path / "real" / "audio").glob("river_*.wav"):
        path.unlink()
    rain = tmp_path / "real" / "audio" / "rain_1.wav"
    written = rain.stat().st_mtime_ns
    status, printed, _ = command("build", config, "--workers", "1")
    assert status == 0
    assert "(goes on where it was stopped)" in printed
    assert {
        name.removeprefix("real/"): content for name, content in contents("real").items()
    } == uninterrupted
    assert rain.stat().st_mtime_ns == written

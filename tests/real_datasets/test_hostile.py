"""Whatever lies in the folder, and however a run ends: each recording is in the set or in
rejected.csv, and no more."""

import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from texturelib.dataset import read_dataset
from texturelib.files import read_table

N_SAMPLES = 4410  # of a segment
Contents = Callable[..., dict[str, bytes]]


def outcome(dataset: Path) -> dict[str, str | None]:
    """Return why each recording was rejected, or None where it is in the set."""
    rejected = pd.read_csv(dataset / "rejected.csv", keep_default_na=False)
    return {
        **dict.fromkeys(read_dataset(dataset).metadata["source"]),
        **dict(rejected.itertuples(index=False)),
    }


def apart_from(contents: dict[str, bytes], folder: str) -> dict[str, bytes]:
    return {
        name: content for name, content in contents.items() if not name.startswith(f"{folder}/")
    }


def in_folder(contents: dict[str, bytes], folder: str) -> dict[str, bytes]:
    return {
        name.removeprefix(f"{folder}/"): content
        for name, content in contents.items()
        if name.startswith(f"{folder}/")
    }


def with_rate(wav: bytes, sample_rate: int) -> bytes:
    """Return the wav, its header saying another rate."""
    return wav[:24] + struct.pack("<I", sample_rate) + wav[28:]


def test_what_cannot_be_used_is_noted_and_what_is_merely_unusual_is_cut(
    record, config, noise, command, contents, tmp_path
) -> None:
    def in_bytes(name: str) -> bytes:
        path = record(f"../whole/{name}", noise(5))
        return path.read_bytes()

    wav = in_bytes("a.wav")
    expected: dict[str, str | None] = {
        "cut off.wav": "cut off after 0.2 of 0.5 s",
        "cut off.flac": "cannot be read as audio",
        "cut off.mp3": "cut off after",
        "header.wav": "holds no samples",
        "half a header.wav": "cannot be read as audio",
        "zero bytes.wav": "is empty (0 bytes)",
        "zero bytes.mp3": "is empty (0 bytes)",
        "nan.wav": "holds values that are not numbers",
        "infinite.wav": "holds values that are not numbers",
        "text.wav": "cannot be read as audio",
        "page.mp3": "cannot be read as audio",
        "zeros.ogg": "cannot be read as audio",
        "no rate.wav": "",
        "a rate of gigahertz.wav": "",
        "a rate of 1 Hz.wav": "is at 1 Hz by its header",  # 6 hours at 44.1 kHz, in one block
        "one sample.wav": "shorter than one segment",
        "8 channels.wav": None,
        "8 kHz.wav": None,
        "192 kHz.flac": None,
        "11 kHz, 8 bits.wav": None,
        "doubles.wav": None,
        "far above full scale.wav": None,
        "SUFFIX.WAV": None,
        "mp3 inside.wav": None,
    }
    record("cut off.wav", wav[: len(wav) // 2])
    for suffix in ("flac", "mp3"):
        whole = in_bytes(f"a.{suffix}")
        record(f"cut off.{suffix}", whole[: len(whole) // 2])
    record("header.wav", wav[:44])
    record("half a header.wav", wav[:30])
    record("zero bytes.wav", b"")
    record("zero bytes.mp3", b"")
    for name, value in {"nan.wav": np.nan, "infinite.wav": np.inf}.items():
        samples = noise(3)
        samples[2 * N_SAMPLES + 5] = value  # two segments are written before it is met
        record(name, samples, subtype="FLOAT")
    record("text.wav", b"Dear diary, today I recorded a river.\n" * 20)
    record("page.mp3", b"<!doctype html><title>404 Not Found</title>")
    record("zeros.ogg", b"\0" * 5000)
    record("no rate.wav", with_rate(wav, 0))
    record("a rate of gigahertz.wav", with_rate(wav, 2**32 - 1))
    record("a rate of 1 Hz.wav", with_rate(wav, 1))
    record("one sample.wav", np.zeros(1))
    record("8 channels.wav", np.stack([noise(3) for _ in range(8)], axis=1))
    record("8 kHz.wav", noise(2), 8000)
    record("192 kHz.flac", noise(9), 192000)
    record("11 kHz, 8 bits.wav", noise(2), 11025, subtype="PCM_U8")
    record("doubles.wav", noise(2), subtype="DOUBLE")
    record("far above full scale.wav", 1000 * noise(2), subtype="FLOAT")
    record("SUFFIX.WAV", noise(2), format="WAV")
    record("mp3 inside.wav", in_bytes("b.mp3"))
    before = contents()
    assert command("build", config, "--dry-run")[0] == 0

    status, _, error = command("build", config, "--workers", 1, "--set", "max_rejected=1")
    assert (status, error) == (0, "")
    found = outcome(tmp_path / "real")
    assert found.keys() == expected.keys()
    for name, reason in expected.items():
        assert (found[name] is None) == (reason is None), (name, found[name])
        assert (reason or "") in (found[name] or ""), (name, found[name])
    dataset = read_dataset(tmp_path / "real")
    in_audio = {f"audio/{path.name}" for path in (tmp_path / "real" / "audio").iterdir()}
    assert in_audio == set(dataset.metadata["file_name"]), (
        "nothing is left of a recording that was rejected half-way"
    )
    assert all(np.abs(dataset.clip(index)).max() <= 1 for index in range(len(dataset)))
    assert apart_from(contents(), "real") == before


NAMES = [
    "two words.wav",
    " .wav",
    "'single'.wav",
    '"double".wav',
    "`touch x`$(touch x);touch x&.wav",
    "two\nlines.wav",
    "carriage\rreturn.wav",
    "tab\tand bell\x07.wav",
    "\x1b[31mred.wav",
    "%s{0}{name}.wav",
    "back\\slash\\..\\up.wav",
    "a..b.wav",
    "--overwrite.wav",
    "-.wav",
    "=1+1,;,.wav",
    "<script>alert(1)</script>.wav".replace("/", "∕"),
    "](javascript:alert(1)).wav",
    "$x_{$.wav",
    "Fluß 水 مطر 🌧.wav",
    "e\u0301.wav",
    "\u00e9.wav",
    "\u202eniar.wav",
    "CON.wav",
    "NaN.wav",
    "1e5.wav",
    "x" * 251 + ".wav",
]


@pytest.mark.pictures
@pytest.mark.parametrize("tags_from", ["nothing", "folders"])
def test_files_and_folders_may_be_called_anything(
    record, config, noise, command, contents, tmp_path, tags_from
) -> None:
    names = (
        NAMES
        if tags_from == "nothing"
        else [f"{name.removesuffix('.wav')}/rain.wav" for name in NAMES]
    )
    for name in names:
        record(name, noise(1))
    before = contents()
    status, printed, error = command(
        "build", config, "--workers", 1, "--set", f"source.tags_from={tags_from}"
    )
    assert (status, error) == (0, "")
    assert len(printed.splitlines()) == 2
    assert outcome(tmp_path / "real") == dict.fromkeys(names)
    dataset = read_dataset(tmp_path / "real")
    assert [len(dataset.clip(index)) for index in range(len(dataset))] == [N_SAMPLES] * len(names)
    lines = (tmp_path / "real" / "ATTRIBUTION.md").read_text().split("\n")
    assert len([line for line in lines if line.startswith("- ")]) == len(names)
    assert apart_from(contents(), "real") == before
    plan = [
        "plan",
        config,
        "--set",
        f"source.tags_from={tags_from}",
        "--output",
        tmp_path / "plan.csv",
    ]
    assert command(*plan)[0] == 0
    assert set(read_table(tmp_path / "plan.csv")["source"]) == set(names)


def test_links_are_followed_to_files_and_those_that_lead_nowhere_are_noted(
    record, config, noise, command, contents, tmp_path
) -> None:
    record("river.wav", noise(2))
    recordings = tmp_path / "recordings"
    outside = record("../elsewhere/rain.wav", noise(1))
    (recordings / "linked rain.wav").symlink_to(outside)
    (recordings / "gone.wav").symlink_to(tmp_path / "nowhere.wav")
    (recordings / "myself.wav").symlink_to("myself.wav")
    (recordings / "round").mkdir()
    (recordings / "round" / "and round").symlink_to(recordings)
    (recordings / "folder.wav").mkdir()
    before = contents()
    assert "4 recordings (2 unreadable)" in command("build", config, "--dry-run")[1]
    status, _, error = command("build", config, "--workers", 1)
    assert status == 0
    assert error.count("\n") == 1
    assert "round/and round is a link to a folder, and what lies there is not taken" in error
    found = outcome(tmp_path / "real")
    assert found.keys() == {"river.wav", "linked rain.wav", "gone.wav", "myself.wav"}
    assert (found["river.wav"], found["linked rain.wav"]) == (None, None)
    assert (found["gone.wav"] or "").endswith("gone.wav is gone")
    assert (found["myself.wav"] or "").startswith("cannot be opened (")
    assert apart_from(contents(), "real") == before
    assert (recordings / "linked rain.wav").is_symlink()


def test_the_folder_itself_may_be_a_link(record, config, noise, command, tmp_path) -> None:
    record("rain.wav", noise(1))
    (tmp_path / "link").symlink_to(tmp_path / "recordings")
    assert (
        command("build", config, "--workers", 1, "--set", f"source.path={tmp_path / 'link'}")[0]
        == 0
    )
    assert outcome(tmp_path / "real") == {"rain.wav": None}


def test_two_recordings_of_one_name_in_sub_folders_keep_their_own_sound(
    record, config, noise, command, tmp_path
) -> None:
    for folder in ("monday", "friday"):
        record(f"{folder}/rain.wav", noise(2))
    assert command("build", config, "--workers", 1)[0] == 0
    dataset = read_dataset(tmp_path / "real")
    assert len(dataset) == 4
    for index, row in enumerate(dataset.metadata.itertuples()):
        recording, _ = soundfile.read(tmp_path / "recordings" / str(row.source), dtype="float32")
        start = round(float(row.start_seconds) * 44100)
        np.testing.assert_array_equal(dataset.clip(index), recording[start : start + N_SAMPLES])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_noted(record, config, noise, command, tmp_path) -> None:
    record("river.wav", noise(1))
    record("secret.wav", noise(1)).chmod(0)
    assert command("build", config, "--workers", 1)[0] == 0
    assert (outcome(tmp_path / "real")["secret.wav"] or "").startswith("cannot be read")


@pytest.mark.parametrize("output", ["taken", "taken/real"])
def test_a_file_where_the_output_should_be_is_one_sentence_and_is_left_alone(
    record, config, noise, command, contents, tmp_path, output
) -> None:
    record("river.wav", noise(1))
    (tmp_path / "taken").write_text("mine")
    before = contents()
    status, _, error = command(
        "build", config, "--overwrite", "--set", f"output={tmp_path / output}"
    )
    assert (status, error.count("\n")) in {(1, 1), (2, 1)}
    assert "taken" in error
    assert "unexpected" not in error
    assert contents() == before


def test_a_folder_that_cannot_be_written_is_one_sentence(
    record, config, noise, command, contents, disk
) -> None:
    record("river.wav", noise(1))
    place = disk("size=1m,ro")
    before = contents()
    status, _, error = command("build", config, "--set", f"output={place / 'real'}")
    assert (status, error.count("\n")) == (1, 1)
    assert error.endswith("disk/real: Read-only file system\n")
    assert contents() == before


# Stops itself with a signal at the nth call of a function, which is sooner or later than any clock
# could hit reliably.
_STOP_ITSELF = """
import importlib, os, signal, sys
from pathlib import Path
module, function, n_calls, signal_number, *arguments = sys.argv[1:]
place = importlib.import_module(module)
original, n_left = getattr(place, function), int(n_calls)

def stopping(path, *rest, **options):
    global n_left
    n_left -= 1
    if not n_left:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        part = Path(path) / ".part-7-metadata.csv" if Path(path).is_dir() else Path(path).with_name(f".part-7-{Path(path).name}")
        part.write_bytes(b"half a file")
        os.kill(os.getpid(), int(signal_number))
    return original(path, *rest, **options)

setattr(place, function, stopping)
sys.argv[1:] = arguments
from real_datasets.cli import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "n_calls", "signal_"),
    [
        ("real_datasets.cut.write_wav", 1, signal.SIGKILL),
        ("real_datasets.cut.write_wav", 17, signal.SIGKILL),
        ("real_datasets.cut.write_wav", 17, signal.SIGINT),
        ("real_datasets.cut.write_wav", 17, signal.SIGTERM),
        ("real_datasets.build.write_text", 1, signal.SIGKILL),  # duplicates are removed by then
        ("real_datasets.build.write_dataset", 1, signal.SIGINT),
    ],
)
def test_a_run_that_was_stopped_anywhere_goes_on_to_the_same_bytes(
    record, config, noise, command, contents, tmp_path, function, n_calls, signal_
) -> None:
    loop = noise(2)
    for name, samples in {
        "a.wav": noise(8),
        "b.wav": np.concatenate([loop, noise(1), loop]),
        "c.wav": np.concatenate([noise(3), np.zeros(N_SAMPLES)]),
        "d.wav": noise(6),
        "twin of d.wav": None,
    }.items():
        record(
            name, (tmp_path / "recordings" / "d.wav").read_bytes() if samples is None else samples
        )
    record("text.wav", b"Dear diary")
    changes = [
        "--set",
        "most_per_recording=5",
        "--set",
        'split={"train": 0.5, "validation": 0, "test": 0.5}',
    ]
    assert (
        command("build", config, "--workers", 1, *changes, "--set", f"output={tmp_path / 'again'}")[
            0
        ]
        == 0
    )
    uninterrupted = in_folder(contents("again"), "again")
    before = apart_from(contents(), "real")

    module, _, name = function.rpartition(".")
    arguments: list[Any] = ["build", config, "--workers", 1, *changes]
    program = [sys.executable, "-c", _STOP_ITSELF, module, name, n_calls, int(signal_), *arguments]
    done = subprocess.run(
        [str(word) for word in program], capture_output=True, text=True, check=False
    )
    if signal_ == signal.SIGKILL:
        assert done.returncode == -signal.SIGKILL
    else:
        assert (done.returncode, done.stderr.strip()) == (
            130,
            "stopped; the same command goes on from here",
        )
    assert not (tmp_path / "real" / "dataset.json").exists()

    status, printed, _ = command(*arguments, "--workers", 2)
    assert status == 0
    assert "(goes on where it was stopped)" in printed
    assert in_folder(contents("real"), "real") == uninterrupted
    assert apart_from(contents(), "real") == before
    assert "done and unchanged" in command(*arguments)[1]

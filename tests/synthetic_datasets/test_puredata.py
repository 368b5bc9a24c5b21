"""Real Pure Data: started, played side by side, watched, stopped; and what a user hears of it when
it fails."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from synthetic_datasets.engines import _pd_process
from texturelib.dataset import read_dataset

Command = Callable[..., tuple[int, str, str]]
WriteConfig = Callable[..., Path]
Files = Callable[[Path], dict[str, bytes]]

RANGES = {
    "avgRate": [0.5, 0.75],
    "minRadius": [0.1, 0.5],
    "maxRadius": [0.5, 0.8],
    "expRadius": [0.2, 0.8],
}

pytestmark = [
    pytest.mark.slow,
    # Where the tests must not be skipped, as in CI, its absence shows as failures.
    pytest.mark.skipif(
        not shutil.which("puredata") and not os.environ.get("CI"),
        reason="needs Pure Data (puredata-core)",
    ),
]


@pytest.fixture
def pd_config(write_config: WriteConfig) -> Callable[..., Path]:
    """Return a config of clips of a tenth of a second from the shipped patch; `engine` changes its
    keys."""

    def write(n_clips: int = 8, engine: dict[str, Any] | None = None, **changes: Any) -> Path:
        return write_config(
            **{
                "sample_rate": 44100,
                "distribution": {"type": "random_uniform", "n_clips": n_clips},
                "engine": {"type": "puredata", "patch": "liquid", "controls": RANGES}
                | (engine or {}),
            }
            | changes
        )

    return write


def running_pds(marker: str) -> list[int]:
    """Return the processes that have `marker` in their command line and are Pure Data."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if (
                words
                and Path(os.fsdecode(words[0])).name in ("puredata", "pd")
                and any(marker.encode() in word for word in words)
            ):
                found.append(int(entry.name))
    return found


def wait_until(is_so: Callable[[], Any], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(is_so())


@pytest.fixture
def own_liquid(tmp_path: Path) -> Path:
    """Return a copy of the shipped liquid patch with a path by which its Pure Datas can be told
    from any others."""
    folder = tmp_path / "my patches, ü"
    folder.mkdir()
    for patch in _pd_process.PATCHES.glob("*.pd"):
        shutil.copy(patch, folder)
    return folder / "liquid.pd"


TEMPLATE = {
    "patch": "mine.pd",
    "patch_controls": {"cutoff": {}, "level": {}},
    "controls": {"cutoff": [0, 1], "level": 1},
}
LIQUID_CONTROLS: dict[str, Any] = {name: {} for name in RANGES}


def test_the_shipped_patch_makes_the_clips_of_the_plan(
    command: Command, pd_config: Callable[..., Path], tmp_path: Path
) -> None:
    status, _, err = command("generate", pd_config(), "--workers", 2)

    dataset = read_dataset(tmp_path / "results")
    assert (status, err) == (0, "")
    assert len(dataset) == 8
    assert re.match(r"0\.\d+", dataset.description["provenance"]["puredata"])
    # The patch's sliders mean what the embedded engine's mean.
    assert [control["unit"] for control in dataset.description["controls"]] == [
        "bubbles/s",
        "mm",
        "mm",
        "exponent",
    ]
    for index in range(8):
        assert dataset.clip(index).any()


def test_any_number_of_pure_datas_gives_the_same_bytes(
    command: Command, pd_config: Callable[..., Path], tmp_path: Path, files: Files
) -> None:
    for workers in (1, 3):
        assert command("generate", pd_config(output=f"by_{workers}"), "--workers", workers)[0] == 0

    by_1, by_3 = files(tmp_path / "by_1"), files(tmp_path / "by_3")
    assert by_1 == by_3
    assert len(set(by_1.values())) == len(by_1)  # no two clips alike


def test_the_level_is_the_volumes(
    command: Command, pd_config: Callable[..., Path], tmp_path: Path
) -> None:
    for volume in (0.5, 0.6):
        command(
            "generate",
            pd_config(output=str(volume), volume={"low": volume, "high": volume}),
            "--workers",
            1,
        )

    soft, loud = (read_dataset(tmp_path / name) for name in ("0.5", "0.6"))
    for index in range(8):
        peaks = [np.abs(each.clip(index)).max() for each in (soft, loud)]
        # A tenth of 158 steps of 0.6 dB is 9.48 dB; the softer peaks are some hundred steps of 16
        # bits.
        assert 20 * np.log10(peaks[1] / peaks[0]) == pytest.approx(9.48, abs=0.2)


def test_a_patch_of_ones_own_needs_only_the_receiver(
    command: Command, pd_config: Callable[..., Path], tmp_path: Path
) -> None:
    shutil.copy(_pd_process.PATCHES / "template.pd", tmp_path / "mein Stück.pd")
    engine = {
        "patch": "mein Stück.pd",
        "patch_controls": {
            "cutoff": {"low": 100, "high": 10000, "unit": "Hz", "curve": "exponential"},
            "level": {},
        },
        "controls": {"cutoff": [0, 1], "level": 0.5},
    }

    status, _, err = command("generate", pd_config(engine=engine), "--workers", 1)

    assert (status, err) == (0, "")
    dataset = read_dataset(tmp_path / "results")
    assert dataset.controls == ["cutoff"]
    assert all(dataset.clip(index).any() for index in range(8))


class Running:
    """`synthetic-datasets generate` in a process of its own."""

    def __init__(self, config: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "synthetic_datasets", "generate", str(config), "--workers", "2"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def end(self) -> tuple[int, str]:
        _, err = self.process.communicate(timeout=120)
        return self.process.returncode, err


@pytest.fixture
def long_run(
    pd_config: Callable[..., Path], own_liquid: Path, tmp_path: Path
) -> Iterator[tuple[Path, Callable[[], bool]]]:
    """Return a config of 300 clips played by `own_liquid`, and whether its first clips are
    there."""
    config = pd_config(
        n_clips=300, engine={"patch": str(own_liquid), "patch_controls": LIQUID_CONTROLS}
    )
    yield config, lambda: len(list((tmp_path / "results" / "audio").glob("clip_*.wav"))) >= 5
    for left in running_pds(str(own_liquid)):
        os.kill(left, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_pure_data_outlives_a_run_that_is_stopped_and_the_next_run_ends_with_the_same_bytes(
    long_run: tuple[Path, Callable[[], bool]],
    own_liquid: Path,
    command: Command,
    pd_config: Callable[..., Path],
    tmp_path: Path,
    files: Files,
    number: signal.Signals,
) -> None:
    config, has_begun = long_run
    running = Running(config)
    assert wait_until(has_begun)
    assert len(running_pds(str(own_liquid))) == 2

    os.killpg(running.process.pid, number)
    status, err = running.end()

    assert wait_until(lambda: not running_pds(str(own_liquid)), 5)
    assert "Traceback" not in err
    if number != signal.SIGKILL:
        assert status == 130
        assert "the same command goes on from here" in err
    assert Running(config).end() == (0, "")
    config = pd_config(
        n_clips=300,
        output="undisturbed",
        engine={"patch": str(own_liquid), "patch_controls": LIQUID_CONTROLS},
    )
    assert command("generate", config, "--workers", 2)[0] == 0
    assert files(tmp_path / "results" / "audio") == files(tmp_path / "undisturbed" / "audio")


def test_a_pure_data_that_dies_is_named_and_started_once_more(
    long_run: tuple[Path, Callable[[], bool]], own_liquid: Path, tmp_path: Path
) -> None:
    config, has_begun = long_run
    running = Running(config)
    assert wait_until(has_begun)
    victim = running_pds(str(own_liquid))[0]

    os.kill(victim, signal.SIGKILL)
    status, err = running.end()

    assert status == 0
    assert f"Pure Data (process {victim}) was killed by SIGKILL; it is started once more" in err
    assert err.count("\n") == 1
    assert len(read_dataset(tmp_path / "results")) == 300


def test_one_that_dies_again_ends_the_run_with_all_that_was_finished_kept(
    long_run: tuple[Path, Callable[[], bool]], own_liquid: Path, tmp_path: Path
) -> None:
    config, has_begun = long_run
    running = Running(config)
    assert wait_until(has_begun)
    n_kills = 0
    before = set()
    while running.process.poll() is None and n_kills < 20:
        before = {path.name for path in (tmp_path / "results" / "audio").glob("clip_*.wav")}
        for victim in running_pds(str(own_liquid)):
            os.kill(victim, signal.SIGKILL)
        n_kills += 1
        time.sleep(0.3)
    status, err = running.end()

    assert status == 1
    assert "for the second time; what was finished is kept" in err
    assert "Traceback" not in err
    assert not running_pds(str(own_liquid))
    assert len(before) >= 5
    assert before <= {path.name for path in (tmp_path / "results" / "audio").iterdir()}
    assert Running(config).end() == (0, "")


def test_without_pure_data_the_user_is_told_how_to_get_it(
    command: Command,
    pd_config: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    status, _, err = command("generate", pd_config())

    assert status == 1
    assert "Pure Data is not installed" in err
    assert "apt-get install puredata-core" in err


def test_a_patch_without_a_receiver_is_found_out(
    command: Command, pd_config: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "empty.pd").write_text("#N canvas 0 0 450 300 12;\n")
    engine = {"patch": "empty.pd", "patch_controls": LIQUID_CONTROLS, "start_seconds": 0.5}

    status, _, err = command("generate", pd_config(engine=engine), "--workers", 1)

    assert status == 1
    assert "empty.pd" in err
    assert (
        "did not say that it is ready within 0.5 s (start_seconds): does it hold a [dataset_receiver]?"
        in err
    )


def test_an_older_receiver_beside_the_patch_is_found_out(
    command: Command, pd_config: Callable[..., Path], tmp_path: Path
) -> None:
    shutil.copy(_pd_process.PATCHES / "template.pd", tmp_path / "mine.pd")
    receiver = (_pd_process.PATCHES / "dataset_receiver.pd").read_text()
    (tmp_path / "dataset_receiver.pd").write_text(receiver.replace("dataset_session", "another"))

    status, _, err = command(
        "generate", pd_config(engine=TEMPLATE | {"start_seconds": 1}), "--workers", 1
    )

    assert status == 1
    assert "dataset_receiver.pd is of an earlier version: remove it" in err


def test_a_patch_with_objects_that_pure_data_does_not_know_is_found_out(
    command: Command, pd_config: Callable[..., Path], tmp_path: Path
) -> None:
    # A patch made with externals, or for a newer Pd: it would sound, but not as meant.
    shipped = (_pd_process.PATCHES / "template.pd").read_text()
    (tmp_path / "mine.pd").write_text(shipped.replace("lop~ 1000", "lowpass_of_mine~ 1000"))
    engine = {
        "patch": "mine.pd",
        "patch_controls": {"cutoff": {}, "level": {}},
        "controls": {"cutoff": [0, 1], "level": 1},
    }

    status, _, err = command("generate", pd_config(engine=engine), "--workers", 1)

    assert status == 1
    assert "mine.pd: Pure Data does not know [lowpass_of_mine~ 1000]" in err


def test_a_pure_data_that_hangs_is_started_once_more(
    long_run: tuple[Path, Callable[[], bool]], own_liquid: Path, tmp_path: Path
) -> None:
    config, has_begun = long_run
    content = json.loads(config.read_text())
    content["engine"] |= {"reply_seconds": 0.5, "resends": 1}
    config.write_text(json.dumps(content))
    running = Running(config)
    assert wait_until(has_begun)

    os.kill(running_pds(str(own_liquid))[0], signal.SIGSTOP)
    status, err = running.end()

    assert status == 0
    assert (
        "said nothing for 0.5 s beyond the clip's length (reply_seconds); it is started once more"
        in err
    )
    assert len(read_dataset(tmp_path / "results")) == 300


@pytest.mark.parametrize("seconds", [0.125, 0.0105])
def test_a_length_that_is_no_whole_number_of_samples_and_milliseconds_is_refused(
    command: Command, pd_config: Callable[..., Path], seconds: float
) -> None:
    status, _, err = command("generate", pd_config(seconds=seconds), "--dry-run")

    assert status == 2
    assert "a patch can only be told a whole number of them" in err


def test_the_page_on_patches_shows_a_config_that_plays_the_template(
    command: Command, pd_config: Callable[..., Path], tmp_path: Path
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "patches.md").read_text()
    [block] = [
        block
        for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)
        if "my_wind.pd" in block
    ]
    engine = json.loads("{" + textwrap.dedent(block).strip().rstrip(",") + "}")["engine"]
    shutil.copy(_pd_process.PATCHES / "template.pd", tmp_path / "my_wind.pd")

    config = pd_config(
        engine=engine, distribution={"type": "uniform_linearly_spaced", "n_clips": 8}
    )
    assert command("generate", config, "--workers", 2)[::2] == (0, "")

    dataset = read_dataset(tmp_path / "results")
    by_cutoff = [dataset.clip(index) for index in np.argsort(dataset.metadata["cutoff"])]
    # More where the sound is brighter.
    changes = [np.mean(np.diff(clip) ** 2) / np.mean(clip**2) for clip in by_cutoff]
    assert changes == sorted(changes)


@pytest.mark.parametrize(
    ("engine", "sentence"),
    [
        ({"patch": "missing.pd", "patch_controls": LIQUID_CONTROLS}, "missing.pd: no such file"),
        ({"patch": "liqid"}, "liqid: no such file; name a .pd file, or one of liquid"),
        ({"patch": 3}, "patch: 3 should be the path of a .pd file, or one of liquid"),
        ({"controls": RANGES | {"avgRate": [0.5, 1.5]}}, "avgRate: [0.5, 1.5] should be a range"),
        ({"controls": RANGES | {"avgRat": 0.5}}, "avgRat: no such control"),
    ],
)
def test_a_wrong_engine_is_a_sentence(
    command: Command, pd_config: Callable[..., Path], engine: dict[str, Any], sentence: str
) -> None:
    status, _, err = command("generate", pd_config(engine=engine))

    assert status == 2
    assert sentence in err


def test_a_changed_patch_is_a_changed_input(
    command: Command, pd_config: Callable[..., Path], own_liquid: Path
) -> None:
    config = pd_config(
        n_clips=1, engine={"patch": str(own_liquid), "patch_controls": LIQUID_CONTROLS}
    )
    assert command("generate", config, "--workers", 1)[0] == 0
    own_liquid.write_text(own_liquid.read_text() + "\n")

    status, _, err = command("generate", config, "--workers", 1)

    assert status == 2
    assert "input changed: liquid.pd" in err


def test_a_patch_that_is_touched_or_has_another_beside_it_is_the_same(
    command: Command, pd_config: Callable[..., Path], own_liquid: Path
) -> None:
    config = pd_config(
        n_clips=1, engine={"patch": str(own_liquid), "patch_controls": LIQUID_CONTROLS}
    )
    assert command("generate", config, "--workers", 1)[0] == 0
    own_liquid.touch()
    own_liquid.with_name("unrelated.pd").write_text("#N canvas 0 0 450 300 12;\n")

    assert "done and unchanged" in command("generate", config, "--workers", 1)[1]


def test_the_engine_osc_plays_a_pure_data_that_somebody_else_has_opened_in_real_time(
    command: Command, write_config: WriteConfig, tmp_path: Path
) -> None:
    ports = []
    for _ in range(2):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    opened = subprocess.Popen(
        [
            "puredata", "-nogui", "-noaudio", "-nomidi", "-noprefs", "-nrt", "-r", "44100", "-open",
            str(_pd_process.PATCHES / "liquid.pd"), "-send", f"inport {ports[0]}",
        ],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    engine = {
        "type": "osc", "patch_controls": LIQUID_CONTROLS, "controls": RANGES, "sends_seed": True,
        "send_port": ports[0], "receive_port": ports[1],
    }  # fmt: skip
    config = write_config(
        sample_rate=44100, distribution={"type": "random_uniform", "n_clips": 3}, engine=engine
    )
    try:
        assert wait_until(lambda: f"{ports[0]:04X}" in Path("/proc/net/udp").read_text())
        status, _, err = command("generate", config)
    finally:
        opened.kill()
        opened.wait()

    assert (status, err) == (0, "")
    # The same seeds and controls as a Pure Data of our own would be sent: the same sound.
    command("generate", write_config(**json.loads(config.read_text()) | {
        "output": "fast", "engine": {"type": "puredata", "patch": "liquid", "controls": RANGES},
    }))  # fmt: skip
    slow, fast = read_dataset(tmp_path / "results"), read_dataset(tmp_path / "fast")
    for index in range(3):
        np.testing.assert_array_equal(slow.clip(index), fast.clip(index))


def test_a_full_disk_is_a_sentence_and_the_run_goes_on_when_there_is_room(
    command: Command,
    pd_config: Callable[..., Path],
    disk: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    # A clip is 17.6 kB where Pure Data leaves it for us.
    monkeypatch.setattr(tempfile, "tempdir", str(disk("size=12k")))
    config = pd_config()

    status, _, err = command("generate", config, "--workers", 1)
    assert status == 1
    assert "could not write its file into" in err
    assert "is the disk full? What was finished is kept" in err

    disk("size=1m")
    assert command("generate", config, "--workers", 1)[0] == 0
    assert len(read_dataset(tmp_path / "results")) == 8


READ = ["msg 0 730 read impulse_response.wav ir", "obj 0 760 soundfiler", "obj 90 760 table ir"]
MISSING = "soundfiler read: impulse_response.wav: No such file or directory"


def template_with(boxes: list[str], cords: list[tuple[int, int, int]]) -> str:
    """Return the template and further boxes. cords: from a box of these, its outlet, to a box of
    these."""
    shipped = (_pd_process.PATCHES / "template.pd").read_text()
    first = shipped.count("\n#X ") - shipped.count("\n#X connect")
    lines = [f"#X {box};" for box in boxes]
    lines += [
        f"#X connect {first + source} {outlet} {first + to} 0;" for source, outlet, to in cords
    ]
    return shipped + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("boxes", "cords", "said"),
    [
        (["obj 0 700 loadbang", *READ], [(0, 0, 1), (1, 0, 2)], MISSING),
        (["obj 0 700 r \\$0-start", *READ], [(0, 0, 1), (1, 0, 2)], MISSING),
        (
            ["obj 0 700 r \\$0-start", "msg 0 730 \\; nowhere 1"],
            [(0, 0, 1)],
            "nowhere: no such object",
        ),
        (["obj 0 700 loadbang"], [(0, 0, 9)], "connection failed"),
    ],
)
def test_what_pure_data_reports_as_an_error_ends_the_run_unless_it_is_allowed(
    command: Command,
    pd_config: Callable[..., Path],
    tmp_path: Path,
    boxes: list[str],
    cords: list[Any],
    said: str,
) -> None:
    (tmp_path / "mine.pd").write_text(template_with(boxes, cords))

    status, _, err = command("generate", pd_config(n_clips=9, engine=TEMPLATE), "--workers", 1)

    assert status == 1
    assert 'mine.pd: Pure Data reports "' in err
    assert said in err
    assert err.count("\n") == 1
    allowed = TEMPLATE | {"allowed_errors": [said]}
    assert (
        command("generate", pd_config(n_clips=2, engine=allowed), "--workers", 1, "--overwrite")[0]
        == 0
    )


def test_what_pure_data_reports_of_a_later_clip_costs_that_clip(
    command: Command, pd_config: Callable[..., Path], tmp_path: Path
) -> None:
    # Only where the cutoff is 50 or more is the file asked for.
    boxes = ["obj 0 640 r \\$0-control", "obj 0 670 route cutoff", "obj 0 700 moses 50", *READ]
    (tmp_path / "mine.pd").write_text(
        template_with(boxes, [(0, 0, 1), (1, 0, 2), (2, 1, 3), (3, 0, 4)])
    )
    distribution = {"type": "uniform_linearly_spaced", "n_clips": 4}

    config = pd_config(engine=TEMPLATE, distribution=distribution, max_rejected=0.5)
    assert command("generate", config, "--workers", 1)[::2] == (0, "")

    dataset = read_dataset(tmp_path / "results")
    assert len(dataset) == 2
    assert (dataset.metadata["cutoff"] < 0.5).all()
    assert (tmp_path / "results" / "rejected.csv").read_text().count(MISSING) == 2


def test_what_a_patch_prints_is_no_error(
    command: Command, pd_config: Callable[..., Path], tmp_path: Path
) -> None:
    # [expr] says "divide by zero detected", and goes on.
    boxes = [
        "obj 0 700 r \\$0-start",
        "msg 0 730 0",
        "obj 0 760 print an error",
        "obj 90 760 expr 1/\\$f1",
    ]
    (tmp_path / "mine.pd").write_text(template_with(boxes, [(0, 0, 1), (1, 0, 2), (1, 0, 3)]))

    assert command("generate", pd_config(n_clips=2, engine=TEMPLATE), "--workers", 1)[::2] == (
        0,
        "",
    )


def test_a_changed_file_that_the_patch_plays_is_a_changed_input(
    command: Command, pd_config: Callable[..., Path], tmp_path: Path
) -> None:
    patch = template_with(["obj 0 700 loadbang", *READ, "obj 0 790 shape~"], [(0, 0, 1), (1, 0, 2)])
    (tmp_path / "mine.pd").write_text(patch.replace(";\n", ";\n#X declare -path lib;\n", 1))
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "shape~.pd").write_text("#N canvas 0 0 450 300 12;\n")
    soundfile.write(tmp_path / "impulse_response.wav", np.ones(10), 44100)
    (tmp_path / "grains").mkdir()
    (tmp_path / "grains" / "1.wav").touch()
    config = pd_config(n_clips=1, engine=TEMPLATE | {"files": ["grains"]})

    for name, change in [
        ("lib/shape~.pd", lambda path: path.write_text(path.read_text() + "\n")),
        ("impulse_response.wav", lambda path: soundfile.write(path, np.zeros(10), 44100)),
        ("grains", lambda path: (path / "2.wav").touch()),
    ]:
        assert command("generate", config, "--workers", 1, "--overwrite")[::2] == (0, "")
        assert "done and unchanged" in command("generate", config, "--workers", 1)[1]
        change(tmp_path / name)
        status, _, err = command("generate", config, "--workers", 1)
        assert status == 2
        assert f"input changed: {name}" in err


@pytest.mark.parametrize(("name", "status"), [("a b,;$1 {x} \\ ü 漢", 0), ("two\nlines", 1)])
def test_the_folder_for_temporary_files_may_have_any_name_of_one_line(
    command: Command,
    pd_config: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    status: int,
) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / name))

    done = command("generate", pd_config(n_clips=2), "--workers", 1)

    assert done[0] == status
    assert ("set TMPDIR to another" in done[2]) == bool(status)
    assert not list((tmp_path / name).iterdir())

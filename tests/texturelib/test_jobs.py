"""A job ends with the same results however it is divided, interrupted or killed."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from texturelib.errors import TextureError
from texturelib.jobs import run_jobs, write_rejected
from texturelib.made import LIST

# A job of 30 small files and one reject, 30 ms each, as a program of its own: a second of work with
# one process.
PROGRAM = """
import sys, time
from pathlib import Path
from texturelib.command_line import make_app, run_app
from texturelib.errors import Rejected
from texturelib.files import whole_file, write_json
from texturelib.jobs import run_jobs
from texturelib.made import begin_list

app = make_app("Write small files, slowly.")

@app.command()
def slowly(folder: Path, workers: int):
    def write(number):
        with whole_file(folder / "files" / f"{number}.txt") as part:
            part.write_text("begun, ")
            time.sleep(0.03)
            if number == 13:
                raise Rejected("bad luck")
            part.write_text(f"begun, {number}")
        return number * number
    folder.mkdir(exist_ok=True)
    begin_list(folder)
    journal = folder / "journal.jsonl"
    results = run_jobs({f"item {n}": n for n in range(31)}, write, journal, label="writing", workers=workers)
    write_json(folder / "results.json", {key: str(result) for key, result in results.items()})
    journal.unlink()

run_app(app, "slowly")
"""


class Job:
    """The program, started in a process group of its own, as a shell does."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.folder = folder
        program = folder.with_suffix(".py")
        program.write_text(PROGRAM)
        self.process = subprocess.Popen(
            [sys.executable, program, folder, str(workers)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def hit_in_the_middle(self, number: signal.Signals) -> None:
        """Send a signal when a few files are there: SIGTERM to the program, as `kill` does, others
        to the whole group."""
        while len(list(self.folder.glob("files/*.txt"))) < 5:
            assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()
            time.sleep(0.005)
        send = os.kill if number == signal.SIGTERM else os.killpg
        send(self.process.pid, number)

    def workers(self) -> list[str]:
        """Return their process numbers, by Linux's books."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        try:
            return [
                child
                for child in children.read_text().split()
                if b"LokyProcess" in Path(f"/proc/{child}/cmdline").read_bytes()
            ]
        except FileNotFoundError:  # one of them ended just now
            return []

    def end(self) -> tuple[int, str, str]:
        """Return the exit status, stdout and stderr."""
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out, err

    def files(self) -> dict[str, bytes]:
        """Return the files but the list of what was made, which is in order only when an output is
        finished."""
        files = [path for path in self.folder.rglob("*") if path.is_file() and path.name != LIST]
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return every file that the job leaves when one process does it in one go."""
    job = Job(tmp_path_factory.mktemp("jobs") / "undisturbed", workers=1)
    assert job.end() == (0, "", "")
    files = job.files()
    assert len(files) == 31  # 30 files and the results; neither the rejected one nor the journal
    return files


def test_two_workers_leave_the_same_files_as_one(
    tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    job = Job(tmp_path / "job", workers=2)

    assert job.end() == (0, "", "")
    assert job.files() == undisturbed


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_killed_job_started_again_ends_with_the_same_files(
    tmp_path: Path, undisturbed: dict[str, bytes], workers: int
) -> None:
    killed = Job(tmp_path / "job", workers)
    killed.hit_in_the_middle(signal.SIGKILL)
    assert killed.end()[0] == -signal.SIGKILL
    n_done = len((tmp_path / "job" / "journal.jsonl").read_text().splitlines())
    assert 0 < n_done < 31

    again = Job(tmp_path / "job", workers)

    assert again.end() == (0, "", "")
    # Begin() removes these.
    finished = {name: content for name, content in again.files().items() if "/.part-" not in name}
    assert finished == undisturbed


@pytest.mark.parametrize(
    ("workers", "number"),
    [
        pytest.param(1, signal.SIGINT, marks=pytest.mark.slow),
        (2, signal.SIGINT),
        pytest.param(2, signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_ctrl_c_and_kill_end_with_one_message_and_nothing_half_written_and_the_same_command_goes_on(
    tmp_path: Path, undisturbed: dict[str, bytes], workers: int, number: signal.Signals
) -> None:
    stopped = Job(tmp_path / "job", workers)
    stopped.hit_in_the_middle(number)

    assert stopped.end() == (130, "", "\nstopped; the same command goes on from here\n")
    assert not [name for name in stopped.files() if ".part-" in name]

    again = Job(tmp_path / "job", workers)

    assert again.end() == (0, "", "")
    assert again.files() == undisturbed


def test_ctrl_c_while_the_workers_start_brings_no_traceback_from_them(tmp_path: Path) -> None:
    stopped = Job(tmp_path / "job", workers=2)
    while not stopped.workers():
        assert stopped.process.poll() is None
        time.sleep(0.005)
    time.sleep(0.05)  # now they are busy with their imports
    os.killpg(stopped.process.pid, signal.SIGINT)

    assert stopped.end() == (130, "", "\nstopped; the same command goes on from here\n")


def test_what_the_journal_has_is_not_done_again_but_what_it_rejected_is_tried_once_more(
    tmp_path: Path,
) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.write_text(
        '["a", {"result": "from before", "files": []}]\n["b", {"rejected": "bad before"}]\n'
    )

    results = run_jobs(
        {"a": 1, "b": 2, "c": 3}, lambda item: f"done {item}", journal, label="x", workers=1
    )

    assert list(results.items()) == [("a", "from before"), ("b", "done 2"), ("c", "done 3")]


@pytest.mark.parametrize("cut_line", ["[", '["b", {"resu', '["b", {"result": "done 2"}]'])
def test_a_last_line_that_was_cut_is_forgiven_and_its_item_done_again(
    tmp_path: Path, cut_line: str
) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.write_text('["a", {"result": "from before", "files": []}]\n' + cut_line)

    for _ in range(2):  # the second time from the mended journal alone
        results = run_jobs(
            {"a": 1, "b": 2}, lambda item: f"done {item}", journal, label="x", workers=1
        )
        assert results == {"a": "from before", "b": "done 2"}

    assert [json.loads(line)[0] for line in journal.read_text().splitlines()] == ["a", "b"]


def test_names_that_are_not_utf_8_or_hold_line_breaks_pass_through_the_journal(
    tmp_path: Path,
) -> None:
    # The first is Latin-1, as Linux hands it out.
    names = ["b\udce4ch.wav", "two\nlines.wav", "line\u2028separator.wav"]
    items = dict.fromkeys(names, 1)
    first = run_jobs(items, lambda item: item, tmp_path / "journal.jsonl", label="x", workers=1)

    def fail(item: int) -> None:
        raise AssertionError("it is in the journal")

    assert run_jobs(items, fail, tmp_path / "journal.jsonl", label="x", workers=1) == first == items


def test_results_come_in_the_order_of_the_items_whoever_was_first(tmp_path: Path) -> None:
    def wait(seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    items = {"slow": 0.3, "b": 0.0, "c": 0.0, "d": 0.0}

    assert list(
        run_jobs(items, wait, tmp_path / "journal.jsonl", label="x", workers=2).items()
    ) == list(items.items())


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_that_is_no_rejection_ends_the_job_and_keeps_what_is_done(
    tmp_path: Path, workers: int
) -> None:
    def work(item: int) -> int:
        if item == 3:
            raise OSError(28, "No space left on device", "/disk/a.wav")
        return item

    with pytest.raises(OSError, match="No space left") as error:
        run_jobs(
            {str(n): n for n in range(4)},
            work,
            tmp_path / "journal.jsonl",
            label="x",
            workers=workers,
        )

    assert (error.value.errno, error.value.filename) == (28, "/disk/a.wav")
    if workers == 1:
        assert len((tmp_path / "journal.jsonl").read_text().splitlines()) == 3


def test_no_items_are_no_work(tmp_path: Path) -> None:
    assert run_jobs({}, str, tmp_path / "journal.jsonl", label="x") == {}


def test_rejected_files_stand_in_a_table_with_their_reasons(tmp_path: Path) -> None:
    write_rejected(
        tmp_path, {"a, b.wav": 'is "empty"', "c.wav": "is silent"}, n_items=10, max_rejected=0.5
    )

    assert pd.read_csv(tmp_path / "rejected.csv").to_numpy().tolist() == [
        ["a, b.wav", 'is "empty"'],
        ["c.wav", "is silent"],
    ]


def test_no_rejected_files_are_a_table_with_a_head_and_no_rows(tmp_path: Path) -> None:
    write_rejected(tmp_path, {}, n_items=0, max_rejected=0.0)

    assert (tmp_path / "rejected.csv").read_text() == "file,reason\n"


@pytest.mark.parametrize(
    ("n_rejected", "n_items", "max_rejected", "is_too_many"),
    [
        (0, 10, 0.0, False),
        (1, 10, 0.0, True),
        (1, 10, 0.1, False),
        (2, 10, 0.1, True),
        (1, 3, 0.3, True),
        (1999, 2000, 0.9, True),
        (29, 100, 0.29, False),  # 0.29 * 100 is 28.999999999999996
        (10, 10, 1.0, False),
    ],
)
def test_more_rejected_files_than_the_share_allows_end_the_job_after_the_table_is_written(
    tmp_path: Path, n_rejected: int, n_items: int, max_rejected: float, is_too_many: bool
) -> None:
    rejected = {f"{n}.wav": "is silent" for n in range(n_rejected)}

    def write(_: Any = None) -> None:
        write_rejected(tmp_path, rejected, n_items, max_rejected)

    if is_too_many:
        with pytest.raises(
            TextureError, match=rf"{n_rejected} of {n_items} files were left out.*0\.wav: is silent"
        ) as error:
            write()
        assert error.value.exit_status == 1
        # What it says to set is enough.
        allowed = float(re.search(r"set max_rejected to (\S+) to take", str(error.value))[1])  # type: ignore[index]
        write_rejected(tmp_path, rejected, n_items, allowed)
    else:
        write()
    assert len(pd.read_csv(tmp_path / "rejected.csv")) == n_rejected


def test_workers_end_soon_after_a_main_process_that_is_killed(tmp_path: Path) -> None:
    # Each item writes the time while it takes; orphans would go on to write into what the next run
    # makes.
    script = tmp_path / "job.py"
    script.write_text(
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from texturelib.jobs import run_jobs\n"
        "def work(index):\n"
        "    for _ in range(600):\n"
        "        Path(sys.argv[1], f'{index}_{os.getpid()}').write_text(str(time.time()))\n"
        "        time.sleep(0.05)\n"
        "if __name__ == '__main__':\n"
        "    run_jobs({'a': 0, 'b': 1}, work, Path(sys.argv[1], 'journal'), label='job', workers=2)\n"
    )
    folder = tmp_path / "out"
    folder.mkdir()
    process = subprocess.Popen([sys.executable, script, folder], start_new_session=True)
    deadline = time.monotonic() + 60
    while len(marks := list(folder.glob("[01]_*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(marks) == 2

    process.kill()
    process.wait()

    patience = time.monotonic() + 15  # an orphan would write for half a minute
    while left := group_members(process.pid):
        assert time.monotonic() < patience, left
        time.sleep(0.05)


@pytest.mark.parametrize(
    "after", [0.5, *(pytest.param(after, marks=pytest.mark.slow) for after in (0.0, 1.0))]
)
def test_workers_that_have_no_work_yet_end_with_a_main_process_that_is_killed(
    tmp_path: Path, after: float
) -> None:
    # They would wait for work for minutes, or find some in the pipe, and do it.
    script = tmp_path / "job.py"
    script.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from texturelib.jobs import run_jobs\n"
        "if __name__ == '__main__':\n"
        "    items = {str(n): n for n in range(4)}\n"
        "    run_jobs(items, time.sleep, Path(sys.argv[1], 'journal'), label='job', workers=2)\n"
    )
    process = subprocess.Popen([sys.executable, script, tmp_path], start_new_session=True)
    deadline = time.monotonic() + 60
    while len(group_members(process.pid)) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(after)
    process.kill()
    process.wait()
    while left := group_members(process.pid):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def group_members(group: int) -> list[str]:
    """Return the processes of a group that are not dead yet, by Linux's books."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
            if its_group == str(group) and state not in "ZX":
                found.append(path.parent.name)
    return found


GROWING = """
import sys, time
from pathlib import Path
from texturelib.jobs import run_jobs

def grow(item):
    if item:
        sys.kept = [*getattr(sys, "kept", []), b"x" * 200_000_000]
        time.sleep(0.6)
    return item

if __name__ == "__main__":
    items = {str(number): number for number in range(12)}
    assert run_jobs(items, grow, Path(sys.argv[1]), label="growing", workers=2) == items
"""


@pytest.mark.slow
def test_workers_that_grow_are_replaced_and_nothing_waits_for_ever(tmp_path):
    (tmp_path / "growing.py").write_text(GROWING)
    words = [sys.executable, "-W", "error", tmp_path / "growing.py", tmp_path / "journal.jsonl"]
    done = subprocess.run(words, timeout=120, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

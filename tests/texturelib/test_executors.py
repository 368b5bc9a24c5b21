"""A job ends with the same results whoever did it, also when workers die; and what cannot be
reached is said at once."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from texturelib.config import load_config
from texturelib.errors import Rejected, TextureError, UsageError
from texturelib.executors import Executor, Local, executor_named
from texturelib.executors._futures import FuturesBackend
from texturelib.executors.dask import Dask
from texturelib.executors.ray import Ray, _end_processes_in
from texturelib.jobs import run_jobs
from texturelib.made import begin_list

from ..clusters import DaskCluster

psutil = pytest.importorskip("psutil")

Job = Callable[..., dict[str, Any]]


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.slow) for name in ("dask", "ray")])
def cluster(request: pytest.FixtureRequest) -> Executor:
    """A cluster of two workers, which was there before."""
    return executor_named(f"{request.param}={request.getfixturevalue(f'{request.param}_address')}")


@pytest.fixture(params=["local", "dask", pytest.param("ray", marks=pytest.mark.long)])
def own(request: pytest.FixtureRequest) -> Executor:
    """Two workers that are started for the job alone."""
    return executor_named(request.param).model_copy(update={"workers": 2})  # type: ignore[attr-defined]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Do the work on the numbers from 0 to 29. -> as `run_jobs`."""

    def run(executor: Executor, work: Callable[[int], Any], **options: Any) -> dict[str, Any]:
        items = {f"item {number}": number for number in range(30)}
        return run_jobs(
            items, work, tmp_path / "journal.jsonl", label="x", executor=executor, **options
        )

    return run


def test_results_and_rejections_are_those_of_this_machine_and_in_the_order_of_the_items(
    cluster: Executor, job: Job, tmp_path: Path
) -> None:
    def work(number: int) -> float:
        if number == 13:
            raise Rejected("bad luck")
        return number / 7

    there = job(cluster, work)

    n_lines = len((tmp_path / "journal.jsonl").read_text().splitlines())
    (tmp_path / "journal.jsonl").unlink()
    here = job(Local(), work, workers=1)
    assert n_lines == 30
    assert str(there.pop("item 13")) == str(here.pop("item 13")) == "bad luck"
    assert list(there.items()) == list(here.items())


def test_an_error_of_the_work_is_the_same_error_here(
    cluster: Executor, job: Job, tmp_path: Path
) -> None:
    def work(number: int) -> int:
        if number == 20:
            raise OSError(28, "No space left on device", "/disk/a.wav")
        return number

    with pytest.raises(OSError, match="No space left") as error:
        job(cluster, work)

    assert (error.value.errno, error.value.filename) == (28, "/disk/a.wav")


def test_what_the_journal_has_is_not_done_again_on_a_cluster_either(
    cluster: Executor, job: Job, tmp_path: Path
) -> None:
    (tmp_path / "journal.jsonl").write_text('["item 3", {"result": "from before", "files": []}]\n')

    results = job(cluster, lambda _: os.getpid())

    assert results.pop("item 3") == "from before"
    assert os.getpid() not in results.values()


def test_no_more_of_a_cluster_is_used_than_was_asked_for(cluster: Executor, job: Job) -> None:
    def work(number: int) -> tuple[float, float]:
        began = time.time()
        time.sleep(0.02)
        return began, time.time()

    times = sorted(job(cluster, work, workers=1).values())

    assert all(end <= begin for (_, end), (begin, _) in pairwise(times))


@pytest.mark.slow
def test_dask_leaves_this_process_its_number_of_threads(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    job(Dask(workers=1), str)

    # Or commands that are started next would have one thread.
    assert os.environ.get("OMP_NUM_THREADS") is None


def kill_once(folder: Path) -> Callable[[int], int]:
    def work(number: int) -> int:
        if number == 7 and not (folder / "killed").exists():
            (folder / "killed").touch()
            begin_list(folder, ["half.wav"])
            (folder / ".part-1-half.wav").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.01)
        return number

    return work


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced_and_its_half_file_removed(
    own: Executor, job: Job, tmp_path: Path
) -> None:
    if own.type == "local":
        with pytest.warns(
            UserWarning, match=r"worker processes were killed .*; the job goes on with new ones"
        ):
            results = job(own, kill_once(tmp_path))
    else:
        results = job(own, kill_once(tmp_path))

    assert list(results.values()) == list(range(30))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "journal.jsonl",
        "killed",
        "made.jsonl",
    ]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:worker processes were killed")
def test_an_item_that_kills_every_worker_ends_the_job_with_a_sentence_and_keeps_the_others(
    own: Executor, job: Job, tmp_path: Path
) -> None:
    def work(number: int) -> int:
        if number == 20:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.01)
        return number

    with pytest.raises(
        TextureError,
        match=r"were killed.*; what was finished is kept, and the same command goes on",
    ):
        job(own, work)

    assert (tmp_path / "journal.jsonl").read_text().count("\n") >= 10


# What can be reached, and by whom. --------------------------------------------------------------------------------------


def is_private(path: Path) -> bool:
    """Return whether only we can get at what has this path."""
    return any(
        parent.stat().st_uid == os.getuid() and not parent.stat().st_mode & 0o077
        for parent in path.parents
    )


@pytest.mark.parametrize(
    "executor",
    [
        pytest.param(Dask(workers=1), id="dask"),
        pytest.param(Ray(workers=1), id="ray", marks=pytest.mark.slow),
    ],
)
def test_a_cluster_for_one_job_is_reached_from_this_machine_alone(executor: Executor) -> None:
    others = set(psutil.Process().children(recursive=True))
    with executor.started(None, 10, False):
        processes = [psutil.Process(), *(set(psutil.Process().children(recursive=True)) - others)]
        places = {
            place.laddr
            for each in processes
            for place in each.net_connections("inet")
            if place.status == psutil.CONN_LISTEN
        }
        sockets = {
            place.laddr
            for each in processes
            for place in each.net_connections("unix")
            if place.laddr.startswith("/")
        }
        with_pages = [place for place in places if answers_strangers(place.port)]
        open_to_all = [path for path in sockets if not is_private(Path(path))]
    assert places
    assert {place.ip for place in places} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    assert not open_to_all, "another user could talk to it"
    if executor.type == "dask":  # Ray asks for its token in each message
        assert not with_pages, "another user could have code run"
    else:
        assert sockets


def answers_strangers(port: int) -> bool:
    """Return whether somebody who has no certificate hears anything there but that what he asks for
    is not there."""
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.settimeout(0.5)
        with suppress(TimeoutError, ConnectionError):
            if plain.recv(100):  # as a Dask without TLS, which introduces itself
                return True
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(0.5)
        with suppress(OSError), anybody.wrap_socket(connection) as encrypted:
            if encrypted.recv(100):
                return True
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(0.5)
        connection.sendall(b"GET /info/main/workers.html HTTP/1.0\r\n\r\n")
        with suppress(OSError):
            return connection.recv(100).partition(b" ")[2][:3] == b"200"
    return False


def test_what_answers_strangers_is_told_from_what_does_not(dask_of: Callable[..., str]) -> None:
    assert answers_strangers(int(dask_of(n_workers=0, protocol="tcp").rpartition(":")[2]))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not answers_strangers(silent.getsockname()[1])


@pytest.mark.parametrize(
    ("executor", "sentence"),
    [
        (
            Dask(address="tcp://127.0.0.1:1"),
            r"executor\.address: tcp://127\.0\.0\.1:1: nobody answers; .*`dask scheduler`",
        ),
        (
            Dask(address="fax://127.0.0.1:1"),
            r"executor\.address: fax://127\.0\.0\.1:1: unknown address scheme 'fax'",
        ),
        (
            Ray(address="127.0.0.1:1"),
            r"executor\.address: 127\.0\.0\.1:1: nobody answers; .*`ray start --head`",
        ),
        (Ray(address="here"), r"executor\.address: here: nobody answers"),
    ],
)
def test_an_address_where_nobody_answers_is_said_within_seconds(
    executor: Executor, sentence: str, job: Job
) -> None:
    began = time.monotonic()
    with pytest.raises(TextureError, match=sentence):
        job(executor, str)
    assert time.monotonic() - began < 100  # 5 s by its own clock; not minutes


@pytest.mark.parametrize(("kind", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_a_package_that_is_missing_is_named_with_what_installs_it(
    kind: str, package: str, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        UsageError, match=rf"not installed; pip install 'texture-toolkit\[{kind}\]'"
    ):
        job(executor_named(kind), str)


def test_workers_that_do_not_see_our_files_are_named(cluster: Executor, tmp_path: Path) -> None:
    with cluster.started(None, 10, False) as pool:
        pool.check(tmp_path)
        with pytest.raises(
            TextureError,
            match=r"the worker at \S+ does not see .*nowhere; all machines need one shared folder",
        ):
            pool.check(tmp_path / "nowhere")


def test_workers_with_other_versions_are_named(
    cluster: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = {"python": "3.9", "texture-toolkit": "0.1.0", "numpy": "1.0", "soundfile": "0.1"}
    with cluster.started(None, 10, False) as pool:
        monkeypatch.setattr("texturelib.executors._futures.versions_that_count", lambda: ours)
        with pytest.raises(
            TextureError,
            match=r"the worker at \S+ has python 3\.1\d, but here it is 3\.9; .*install the same",
        ):
            pool.check(tmp_path)


@pytest.fixture
def dask_of() -> Iterator[Callable[..., str]]:
    """Return the address of a Dask cluster in this process."""
    from distributed import LocalCluster

    clusters = []

    def start(**settings: Any) -> str:
        clusters.append(
            LocalCluster(
                host="127.0.0.1", dashboard_address="127.0.0.1:0", processes=False, **settings
            )
        )
        return clusters[-1].scheduler_address

    yield start
    for each in clusters:
        each.close()


def test_a_cluster_without_workers_is_not_waited_for_for_ever(
    dask_of: Callable[..., str], job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("texturelib.executors.dask._WORKERS_SECONDS", 0.1)
    with pytest.raises(
        TextureError,
        match=r"has no workers; start some: dask worker \S+ --nworkers auto --nthreads 1",
    ):
        job(Dask(address=dask_of(n_workers=0, protocol="tcp")), str)


def test_workers_that_would_do_several_items_in_one_process_are_refused(
    dask_of: Callable[..., str], job: Job
) -> None:
    address = dask_of(n_workers=1, threads_per_worker=3, protocol="tcp")
    with pytest.raises(
        TextureError, match=r"has 3 threads, and the jobs need processes.*--nworkers 3 --nthreads 1"
    ):
        job(Dask(address=address), str)


# Stopped and killed. ----------------------------------------------------------------------------------------------------

PROGRAM = """
import sys, time
from pathlib import Path
from texturelib.command_line import make_app, run_app
from texturelib.executors import executor_named
from texturelib.files import whole_file
from texturelib.jobs import run_jobs
from texturelib.made import begin_list

app = make_app("Write small files, slowly.")

@app.command()
def slowly(folder: Path, executor: str):
    def write(number):
        with whole_file(folder / "files" / f"{number}.txt") as part:
            for _ in range(20):
                with part.open("a") as file:
                    file.write(".")
                time.sleep(0.03)
        return number
    folder.mkdir(exist_ok=True)
    begin_list(folder)
    who = executor_named(executor)
    run_jobs({str(n): n for n in range(8)}, write, folder / "journal.jsonl", label="writing", executor=who, workers=2)

if __name__ == "__main__":
    run_app(app, "slowly")
"""


class Program:
    """The program, started in a process group of its own, as a shell does."""

    def __init__(self, folder: Path, executor: str) -> None:
        self.folder = folder
        script = folder.with_suffix(".py")
        script.write_text(PROGRAM)
        self.process = subprocess.Popen(
            [sys.executable, script, folder, executor],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_for_the_middle(self) -> "list[psutil.Process]":
        """Return the processes that it has started."""
        while not (
            list(self.folder.glob("files/[0-9]*.txt")) and list(self.folder.glob("files/.part-*"))
        ):
            assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()
            time.sleep(0.01)
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> tuple[int, str, str]:
        """Return the exit status, stdout and stderr."""
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out, err

    def snapshot(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.folder.rglob("*.txt")}


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["dask", pytest.param("ray", marks=pytest.mark.long)])
def test_ctrl_c_ends_with_one_message_nothing_half_written_and_nobody_left(
    executor: str, tmp_path: Path
) -> None:
    program = Program(tmp_path / "job", executor)
    others = program.wait_for_the_middle()
    os.killpg(program.process.pid, signal.SIGINT)

    assert program.end() == (130, "", "\nstopped; the same command goes on from here\n")
    _, alive = psutil.wait_procs(others, timeout=60)
    assert not alive
    assert not [name for name in program.snapshot() if name.startswith(".part-")]

    again = Program(tmp_path / "job", executor)
    assert again.end() == (0, "", "")
    assert again.snapshot() == {f"{n}.txt": "." * 20 for n in range(8)}


def test_after_a_ctrl_c_a_cluster_that_lives_on_writes_nothing_more(
    cluster: Executor, tmp_path: Path
) -> None:
    program = Program(tmp_path / "job", f"{cluster.type}={cluster.address}")  # type: ignore[attr-defined]
    program.wait_for_the_middle()
    os.killpg(program.process.pid, signal.SIGINT)

    assert program.end() == (130, "", "\nstopped; the same command goes on from here\n")
    before = program.snapshot()
    assert not [name for name in before if name.startswith(".part-")]
    time.sleep(1)  # an item takes 0.6 s
    assert program.snapshot() == before


def test_nothing_is_sent_to_a_cluster_any_more_after_a_stop() -> None:
    sent = []

    def submit(function: Callable[[Any], Any], argument: Any) -> Future[Any]:
        sent.append(argument)
        return Future()

    backend = FuturesBackend(submit, cancel=lambda _: None, n_workers=2)
    backend.submit(bool)
    backend.abort_everything()
    backend.submit(int)

    assert sent == [bool]


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["dask", pytest.param("ray", marks=pytest.mark.long)])
def test_workers_end_soon_after_a_main_process_that_is_killed(
    executor: str, tmp_path: Path
) -> None:
    program = Program(tmp_path / "job", executor)
    others = program.wait_for_the_middle()
    # Ray's agents, which do no work, look for it but now and then.
    workers = [each for each in others if "Agent" not in each.name()]
    program.process.kill()
    program.end()

    _, alive = psutil.wait_procs(workers, timeout=60)
    assert workers
    assert not alive


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["local", "dask", pytest.param("ray", marks=pytest.mark.long)])
def test_what_a_killed_run_left_outside_of_its_folder_is_removed_by_the_next(
    executor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left(place: str, name: str) -> set[str]:
        return {path.name for path in Path(place).glob(name)}

    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))  # or another run on this machine could be the next
    folders = "/tmp" if executor == "ray" else str(temporary)
    before = left(folders, f"texture-{executor}-*")
    program = Program(tmp_path / "job", executor)
    program.wait_for_the_middle()
    in_memory = f"*[-_]{program.process.pid}[-_]*"
    os.killpg(program.process.pid, signal.SIGKILL)
    program.end()
    killed = left(folders, f"texture-{executor}-*") - before
    assert killed or executor == "local"
    assert left("/dev/shm", in_memory) or executor == "ray"

    again = Program(tmp_path / "job", executor)
    assert again.end() == (0, "", "")

    assert not killed & left(folders, f"texture-{executor}-*")
    assert not left("/dev/shm", in_memory)
    assert not list(temporary.glob("texture-*"))


def test_only_processes_that_have_a_file_open_in_a_dead_rays_folder_are_ended(
    tmp_path: Path,
) -> None:
    processes = []
    for name in ("dead", "dead-too"):
        (tmp_path / name).mkdir()
        with (tmp_path / name / "log").open("wb") as log:
            processes.append(subprocess.Popen(["sleep", "60"], stdout=log))
    _end_processes_in(tmp_path / "dead")
    assert processes[0].wait(timeout=60) == -signal.SIGKILL
    assert processes[1].poll() is None
    processes[1].kill()
    processes[1].wait()


@pytest.mark.slow
def test_a_cluster_that_is_gone_ends_the_job_with_a_sentence(
    job: Job, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cluster"
    folder.mkdir()
    cluster = DaskCluster(folder)
    cluster.add_worker()
    cluster.add_worker()
    cluster.wait_for_workers()

    def work(number: int) -> int:
        if number == 10:
            os.kill(scheduler, signal.SIGKILL)
        time.sleep(0.05)
        return number

    scheduler = cluster.scheduler.pid
    try:
        with pytest.raises(
            TextureError,
            match=r"the cluster at tcp://\S+ is gone; what was finished is kept, and the same command",
        ):
            job(Dask(address=cluster.address), work)
    finally:
        cluster.end()
    assert capfd.readouterr() == ("", "")


# In words. --------------------------------------------------------------------------------------------------------------


def test_a_config_names_its_executor_and_what_it_writes_does_not(
    example: Any, write_config: Callable[..., Path]
) -> None:
    config = load_config(
        write_config(executor={"type": "dask", "address": "tcp://10.0.0.7:8786"}), example
    )
    assert config.executor == Dask(address="tcp://10.0.0.7:8786")
    assert "executor" not in config.as_written(config.output)
    assert load_config(write_config(), example).executor == Local()


@pytest.mark.parametrize("text", ["slurm", "local=there", "dask:tcp"])
def test_a_word_that_is_no_executor_is_one_sentence(text: str) -> None:
    with pytest.raises(
        UsageError,
        match=rf"^--executor {text}: should be one of dask, local, ray, or that of a cluster",
    ):
        executor_named(text)

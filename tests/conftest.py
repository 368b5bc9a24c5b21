"""What tests of every package share."""

import base64
import faulthandler
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import typer
from hypothesis import settings
from matplotlib.figure import Figure

from texturelib.command_line import _status_of

from .clusters import DaskCluster, RayCluster
from .torch_processes import TorchProcesses, by_test, most
from .warm import Warm
from .whole_way import WholeWay, go

if TYPE_CHECKING:
    from domain_adaptation.models.extractor import Extractor

# Where tests are started in the background of a script, Ctrl-C is ignored, also by the processes
# that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("unhurried", deadline=None)  # a busy machine is not a failure
settings.load_profile("unhurried")

# Of one grey pixel.
STAND_IN = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)

SHARED = Path(__file__).parents[2] / "shared"

# Tests that share what takes long to make, by where they lie; they run in one process of
# pytest-xdist, so that it is made once.
TOGETHER = {
    "tests/docs/": "documentation",
    "tests/texturelib/test_executors.py": "clusters",
    "tests/test_any_executor.py": "clusters",
}
# One process begins with what makes the whole way, and the other with what does not need it.
FIRST = ("tests/faults/test_changing_files.py", "tests/conditioned_synthesis/")


_COUNTED = pytest.StashKey[Path]()
_TORCH_PROCESSES = pytest.StashKey[TorchProcesses]()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="loaded-")
        config.add_cleanup(folder.cleanup)
        config.stash[_COUNTED] = Path(folder.name)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist where to count."""
    node.workerinput["counted"] = str(node.config.stash[_COUNTED])


def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    if config.getoption("dist", "no") != "no":
        return  # its processes run the tests, and count
    own = getattr(config, "workerinput", None)
    folder = Path(own["counted"]) / own["workerid"] if own else config.stash[_COUNTED] / "own"
    config.stash[_TORCH_PROCESSES] = TorchProcesses(folder)
    config.stash[_TORCH_PROCESSES].count_from_now_on()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("long"):
        faulthandler.cancel_dump_traceback_later()  # it does not hang; `pytest -m long` is watched


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    item.config.stash[_TORCH_PROCESSES].test_ended(item.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Tests that let too many processes import torch have failed."""
    config = session.config
    if exitstatus or _COUNTED not in config.stash:
        return
    if by_test(config.stash[_COUNTED]).total() > most(config.option.markexpr):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    config = terminalreporter.config
    counts = by_test(config.stash[_COUNTED])
    may = most(config.option.markexpr)
    terminalreporter.section(f"{counts.total()} processes imported torch; {may} may")
    if terminalreporter.verbosity > 0 or counts.total() > may:
        for test, number in counts.items():
            terminalreporter.line(f"{number:4} {test}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return who runs what where pytest-xdist has two processes: the tests of a file run on one of
    them, as do those that share what takes long to make."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return next((job for place, job in TOGETHER.items() if file.startswith(place)), file)

    config.option.loadscopereorder = False  # they are in their order, see below
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Small files come last, so that at the end no process waits long for the other."""

    def turn(item: pytest.Item) -> int:
        places = (*FIRST, *TOGETHER, "tests/")
        return next(n for n, place in enumerate((*places, "")) if item.nodeid.startswith(place))

    items.sort(key=turn)


@pytest.fixture(autouse=True)
def _pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are stand-ins, except in tests that are marked `pictures` and in commands that run in
    a process of their own: one takes longer to draw than all else that a small command does."""
    if request.node.get_closest_marker("pictures") is None:
        monkeypatch.setattr(Figure, "savefig", lambda _, path, **__: path.write_bytes(STAND_IN))


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """Starts commands as `python -m PACKAGE` would, without the time that imports take."""
    if sys.platform != "linux":
        pytest.skip("needs Linux's /proc")
    warm = Warm(tmp_path_factory.mktemp("logs"))
    yield warm
    warm.close()


@pytest.fixture(scope="session")
def whole_way(tmp_path_factory: pytest.TempPathFactory, warm: Warm) -> WholeWay:
    """Results of every stage, and a page."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # that of all processes, of which the first makes it
    way = WholeWay(folder / "whole_way")
    with (folder / "whole_way.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not way.is_gone:
            shutil.rmtree(way.folder, ignore_errors=True)
            go(way.folder, warm)
    return way


@pytest.fixture(scope="session")
def thesis() -> Path:
    """The thesis's published data."""
    folder = SHARED / "thesis"
    if not folder.is_dir():
        pytest.skip("needs the thesis's published data in ../shared/thesis")
    return folder


@pytest.fixture(scope="session")
def thesis_network(thesis: Path) -> Path:
    """The folder of the thesis's trained network; its files begin with the folder's own name."""
    return next(path for path in (thesis / "published").iterdir() if path.is_dir())


@pytest.fixture(scope="session")
def thesis_extractor(thesis_network: Path) -> "Extractor":
    """The thesis's trained network, as it published it."""
    import torch

    from domain_adaptation.models.extractor import Extractor
    from domain_adaptation.networks.cnn import Cnn

    path = thesis_network / f"{thesis_network.name}.pth"
    weights = torch.load(path, map_location="cpu", weights_only=True)["model_state_dict"]
    model = Extractor(Cnn(), (1, 56, 161), 4)
    names = {
        name: name.replace("conv_blocks", "encoder.blocks").replace("fc_blocks", "head")
        for name in weights
    }
    # It has no spread.
    model.load_state_dict({names[name]: value for name, value in weights.items()}, strict=False)
    return model.eval()


@pytest.fixture(scope="session")
def real_recordings() -> Path:
    folder = SHARED / "recordings"
    if not folder.is_dir():
        pytest.skip("needs the recordings in ../shared/recordings")
    return folder


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., None]:
    """made_once(folder, name, make): make a folder that no test before has made under this name;
    else copy what `make` made then. So each test may change what it has."""
    kept = tmp_path_factory.mktemp("kept")

    def copy_or_make(folder: Path, name: str, make: Callable[[], object]) -> None:
        if (kept / name).exists():
            shutil.copytree(kept / name, folder, dirs_exist_ok=True)
        else:
            make()
            shutil.copytree(folder, kept / name)

    return copy_or_make


class Done(NamedTuple):
    """What a command line left: its exit status, what it printed, and its errors."""

    status: int
    out: str
    err: str


@pytest.fixture
def run_command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run an app's command line in this process."""

    def run(app: typer.Typer, *arguments: object) -> Done:
        status = _status_of(
            lambda: app([str(argument) for argument in arguments], standalone_mode=False)
        )
        return Done(status, *capsys.readouterr())

    return run


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a disk of its own with the options that mount(8) is told, such as "size=1m"; it keeps
    what lies on it."""
    place = tmp_path / "disk"
    place.mkdir()
    is_mounted = False

    def mount(options: str) -> Path:
        nonlocal is_mounted
        options += ",remount" if is_mounted else ""
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", place],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(
                f"needs the right to mount a disk in memory ({done.stderr.decode().strip()})"
            )
        is_mounted = True
        return place

    yield mount
    if is_mounted:
        # Workers end soon after a run that has failed, but on a busy machine that may take a
        # moment.
        for _ in range(100):
            if subprocess.run(["umount", place], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.2)
        subprocess.run(["umount", place], check=True)


@pytest.fixture(scope="session")
def dask_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Dask cluster on loopback, with two workers."""
    cluster = DaskCluster(tmp_path_factory.mktemp("dask"))
    try:
        cluster.add_worker()
        cluster.add_worker()
        cluster.wait_for_workers()
        yield cluster.address
    finally:
        cluster.end()


@pytest.fixture(scope="session")
def ray_address() -> Iterator[str]:
    """The address of a real Ray on loopback, with two cores."""
    # The names of sockets in it must be short.
    with tempfile.TemporaryDirectory(
        prefix="ray-", dir="/tmp", ignore_cleanup_errors=True
    ) as folder:
        cluster = RayCluster(Path(folder))
        try:
            with pytest.MonkeyPatch.context() as patch:
                for name, value in cluster.environment.items():
                    patch.setenv(name, value)
                yield cluster.address
        finally:
            cluster.end()

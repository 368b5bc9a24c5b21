"""What tests of every package share."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import typer
from hypothesis import settings

from texturelib.command_line import _status_of

from .clusters import DaskCluster, RayCluster
from .torch_processes import TorchProcesses
from .warm import Warm

if TYPE_CHECKING:
    from domain_adaptation.models.extractor import Extractor

# Where tests are started in the background of a script, Ctrl-C is ignored, also by the processes
# that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("unhurried", deadline=None)  # a busy machine is not a failure
settings.load_profile("unhurried")

SHARED = Path(__file__).parents[2] / "shared"


_TORCH_PROCESSES = pytest.StashKey[TorchProcesses]()


def pytest_sessionstart(session: pytest.Session) -> None:
    folder = tempfile.TemporaryDirectory(prefix="loaded-")
    session.config.add_cleanup(folder.cleanup)
    session.config.stash[_TORCH_PROCESSES] = TorchProcesses(Path(folder.name))
    session.config.stash[_TORCH_PROCESSES].count_from_now_on()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # What counts all comes last.
    items.sort(key=lambda item: "torch_processes" in getattr(item, "fixturenames", ()))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    item.config.stash[_TORCH_PROCESSES].test_ended(item.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    by_test = terminalreporter.config.stash[_TORCH_PROCESSES].by_test()
    terminalreporter.section(f"{by_test.total()} processes imported torch")
    if terminalreporter.verbosity > 0:
        for test, number in by_test.items():
            terminalreporter.line(f"{number:4} {test}")


@pytest.fixture(scope="session")
def torch_processes(pytestconfig: pytest.Config) -> TorchProcesses:
    return pytestconfig.stash[_TORCH_PROCESSES]


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """Starts commands as `python -m PACKAGE` would, without the time that imports take."""
    if sys.platform != "linux":
        pytest.skip("needs Linux's /proc")
    warm = Warm(tmp_path_factory.mktemp("logs"))
    yield warm
    warm.close()


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
    """-> a disk of its own with the options that mount(8) is told, such as "size=1m"; it keeps what
    lies on it."""
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

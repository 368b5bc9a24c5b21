"""The whole way on two Dask workers, one of which is killed while it renders, ends as if nothing
had happened."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..clusters import DaskCluster

# Python imports a module of this name when it starts. The worker that is told to die does so in the
# middle of its first clip: of two idle workers each is given one of the first two.
DIES = """
import os, signal, sys

def die(event, arguments):
    if event == "open" and "/synthetic/audio/.part-" in str(arguments[0]):
        part = os.open(arguments[0], os.O_WRONLY | os.O_CREAT) if os.environ.pop("DIES", None) else None
        if part is not None:
            os.write(part, b"RIFF, but no more")
            os.kill(os.getpid(), signal.SIGKILL)

if "DIES" in os.environ:
    sys.addaudithook(die)
"""

SPEED = re.compile(rb"(?<=\"real_time_factor\": )[\d.e+-]+")
"""What an evaluation says of how fast a synthesiser played."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(DIES)
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    cluster = DaskCluster(folder)
    try:
        cluster.add_worker({"PYTHONPATH": path, "DIES": "1"})
        cluster.add_worker({"PYTHONPATH": path})
        cluster.wait_for_workers()
        yield cluster
    finally:
        cluster.end()


def files(results: Path) -> dict[str, bytes]:
    """Return the bytes of every file by name, but of events, whose names and content have times,
    and of lists with these names; of an evaluation the figures alone, not their table and page, and
    these without the speed."""
    names = {
        path.relative_to(results).as_posix(): path for path in results.rglob("*") if path.is_file()
    }
    told_again = re.compile(
        r"/tensorboard/|/made\.jsonl$|/evaluation/(index\.html|evaluation\.(csv|md))$"
    )
    return {
        name: SPEED.sub(b"", path.read_bytes())
        for name, path in names.items()
        if not told_again.search(name)
    }


@pytest.mark.slow
def test_the_whole_way_on_two_workers_of_which_one_is_killed(whole_way, cluster, tmp_path):
    shutil.copytree(whole_way.configs, tmp_path / "configs")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "texture_pipeline",
            "configs",
            "--executor",
            f"dask={cluster.address}",
        ],
        cwd=tmp_path,
        # As many threads as the process that went the whole way has: sums depend on them.
        env=os.environ
        | dict.fromkeys(("LOKY_MAX_CPU_COUNT", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    victim, other = cluster.workers
    assert (victim.poll(), other.poll()) == (-signal.SIGKILL, None)
    expected, found = files(whole_way.results), files(tmp_path / "results")
    assert len(expected) > 300
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []

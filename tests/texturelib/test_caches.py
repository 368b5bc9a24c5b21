"""Installed where nobody may write, for somebody who has no home: compiled code finds another
place."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from texturelib import caches

ROOT = Path(__file__).parents[2]
WARM = ROOT / "tests" / "warm_process.py"
# Modes of files should count for root too. A decorated function is enough: numba looks for a place
# when it is defined.
RUN = """
import os, runpy, sys
if os.geteuid() == 0:
    runpy.run_path(sys.argv[1])["give_up_override"]()
from texturelib import command_line
if sys.argv[2] == "found":
    command_line.find_places()
from synthetic_datasets.engines._wakes import add_wakes
import texturelib.pictures
print(os.environ.get("NUMBA_CACHE_DIR"))
"""


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Path]:
    """Return a real copy of the packages, and a home, that nobody may write to."""
    for package in ("texturelib", "synthetic_datasets"):
        shutil.copytree(
            ROOT / package,
            tmp_path / "site" / package,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    (tmp_path / "home").mkdir()
    folders = [
        tmp_path / "home",
        *(path for path in (tmp_path / "site").rglob("*") if path.is_dir()),
        tmp_path / "site",
    ]
    for folder in folders:
        folder.chmod(0o555)
    yield tmp_path
    for folder in reversed(folders):
        folder.chmod(0o755)


@pytest.mark.slow
def test_a_command_runs_where_neither_its_folder_nor_home_can_be_written(installed: Path) -> None:
    (installed / "tmp").mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NUMBA", "MPL", "XDG"))
    }
    told = {
        "HOME": str(installed / "home"),
        "TMPDIR": str(installed / "tmp"),
        "PYTHONPATH": str(installed / "site"),
    }

    def run(places: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-c", RUN, str(WARM), places]
        return subprocess.run(
            words, env=kept | told, cwd=installed, capture_output=True, text=True, check=False
        )

    assert "cannot cache function" in run("as they are").stderr  # else this would test nothing
    done = run("found")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == str(
        installed / "tmp" / f"texture-toolkit-{os.getuid()}" / "numba"
    )


def test_a_folder_for_caches_that_others_could_write_to_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """numba runs what it finds there."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    name = tmp_path / f"texture-toolkit-{os.getuid()}"
    name.mkdir()
    name.chmod(0o777)
    found = caches._own_folder()
    assert found != name
    assert stat.S_IMODE(found.stat().st_mode) == 0o700
    name.rmdir()
    name.symlink_to(found)
    assert caches._own_folder() != name


def test_a_place_that_somebody_chose_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/chosen")
    monkeypatch.setenv("MPLCONFIGDIR", "/chosen")
    caches.find_places()
    assert caches.place_of_compiled_code() == (Path("/chosen"), True)
    assert os.environ["MPLCONFIGDIR"] == "/chosen"

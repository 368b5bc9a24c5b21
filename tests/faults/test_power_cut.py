"""The power is cut: what a command has finished is there, and what it had begun goes on and ends
with the same bytes.

The disk is a file system of its own in a file, mounted by a loop device. The file holds what has
reached the disk, and not what the system still has in its memory: a copy of it, mounted in its
place, is the disk as a power cut leaves it.

`pytest tests/faults/test_power_cut.py -m long` cuts the power 20 times in the middle of every
command.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

MEGABYTES = 96


class ForgetfulDisk:
    """folder: where it is mounted. Errors: OSError when this machine does not let us."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "disk"
        self.folder.mkdir()
        self._images = place
        self._n_cuts = 0
        with self._image.open("wb") as file:
            file.truncate(MEGABYTES * 2**20)
        _call("mkfs.ext4", "-q", "-F", self._image)
        self._mount()

    @property
    def _image(self) -> Path:
        return self._images / f"disk_{self._n_cuts}.img"

    def _mount(self) -> None:
        _call("mount", "-t", "ext4", "-o", "loop", self._image, self.folder)

    def let_names_through(self) -> None:
        """Write the names of all files to the disk, and the content of journals: as a system may do
        at any moment, while it keeps the content of other files back for up to half a minute."""
        for journal in [*self.folder.rglob("journal.jsonl"), self.folder]:
            descriptor = os.open(journal, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)

    def cut_power(self) -> None:
        """Lose all that has not reached the disk. Nobody writes there meanwhile."""
        before = self._image
        self._n_cuts += 1
        _call("cp", "--sparse=always", before, self._image)
        self.unmount()
        before.unlink()
        self._mount()

    def unmount(self) -> None:
        # What a command has started may take a moment to end.
        _call("umount", "--lazy", self.folder)


def _call(*words: object) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False)
    if done.returncode:
        raise OSError(f"{words[0]}: {done.stderr.decode().strip()}")


@pytest.fixture
def forgetful_disk(tmp_path: Path) -> Iterator[ForgetfulDisk]:
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("needs mkfs.ext4")
    try:
        disk = ForgetfulDisk(tmp_path)
    except OSError as error:
        pytest.skip(f"needs the right to mount a file as a disk ({error})")
    yield disk
    disk.unmount()


def cut_often(bench_on, disk, name, draw, count, n_cuts):
    """Cut the power in the middle of a command until this has hit it `n_cuts` times, and again at
    every end."""
    n_hit = 0
    while n_hit < n_cuts:
        bench = bench_on(disk.folder, name)
        os.sync()
        run = bench.start()
        if not run.is_over_after(draw.uniform(0.2, 1) * bench.seconds):
            run.kill(whole_group=True)
            disk.let_names_through()
            disk.cut_power()
            n_hit += 1
            run = bench.start()
        bench.check_finished(run)
        disk.cut_power()
        assert bench.found() == bench.wanted
    count("power cut", name, injected=n_hit, resumed=n_hit, lost=0)


def test_a_command_goes_on_after_a_power_cut_and_what_it_has_finished_stays(
    bench_on, forgetful_disk, every_command, n_faults, draw, count
):
    cut_often(bench_on, forgetful_disk, every_command, draw, count, n_faults)

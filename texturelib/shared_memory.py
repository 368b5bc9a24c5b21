"""Remove what worker processes leave in shared memory when all of them are killed at once; the next
run does it.

joblib and Dask keep semaphores there, and joblib a folder for large arrays; a process of theirs
removes them at the end, unless it is killed with the others. So a run writes down which are its
own, in a private folder whose lock says whether the run is still alive.
"""

import atexit
import os
import shutil
import stat
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path

from texturelib.private_folder import private_folder

_PLACE = Path("/dev/shm")  # on Linux; elsewhere it is not visible
_SEMAPHORES = ("sem.loky-", "sem.mp-")
_NAMES = "names"


def note_shared_memory() -> None:
    """Write down what this process and its workers have in shared memory by now, and remove what
    dead runs have written down."""
    try:
        names = _own_names()
    except OSError:
        return
    with suppress(OSError):  # the job continues even on a full disk
        (_record() / _NAMES).write_text("".join(f"{name}\n" for name in names))


@cache
def _record() -> Path:
    """Return a folder that lasts as long as this process, since joblib keeps its workers from
    one job to the next."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(private_folder("texture-run-", tidy=_remove_noted))


def _own_names() -> list[str]:
    """Return the names of the semaphores in this process's memory, and of joblib's folders,
    which have its number in their names."""
    # By their inodes: a semaphore is mapped under a temporary name.
    maps = [line.split(maxsplit=5) for line in Path("/proc/self/maps").read_text().splitlines()]
    inodes = {
        int(words[4]) for words in maps if len(words) == 6 and words[5].startswith(f"{_PLACE}/")
    }
    return [
        entry.name
        for entry in os.scandir(_PLACE)
        if (entry.name.startswith(_SEMAPHORES) and entry.inode() in inodes)
        or entry.name.startswith(_folder_prefix())
    ]


def _folder_prefix() -> str:
    return f"joblib_memmapping_folder_{os.getpid()}_"


def _remove_noted(record: Path) -> None:
    """Remove what a dead run has noted. record: its folder."""
    with suppress(OSError):
        for name in (record / _NAMES).read_text().splitlines():
            path = _PLACE / Path(name).name
            with suppress(OSError):
                found = path.lstat()
                if found.st_uid != os.getuid():
                    continue
                if stat.S_ISREG(found.st_mode) and name.startswith(_SEMAPHORES):
                    path.unlink()
                elif stat.S_ISDIR(found.st_mode) and name.startswith("joblib_memmapping_folder_"):
                    shutil.rmtree(path, ignore_errors=True)

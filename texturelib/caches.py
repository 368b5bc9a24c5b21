"""Folders for what libraries keep between runs: numba's compiled code, matplotlib's list of fonts.

By default these lie beside the code or in the home folder. Where neither can be written, as on a
machine that an administrator set up, numba fails and matplotlib complains; then a folder of the
user's own among the temporary files is used.
"""

import atexit
import os
import shutil
import stat
import tempfile
from pathlib import Path

NUMBA, _MATPLOTLIB = "NUMBA_CACHE_DIR", "MPLCONFIGDIR"


def find_places() -> None:
    """Set the environment variables that give numba and matplotlib a cache folder, where they
    would find none. Call it before either is imported; processes that are started from here
    inherit it."""
    if (
        NUMBA not in os.environ
        and not _is_writable(_code() / "__pycache__")
        and not _is_writable(_cache() / "numba")
    ):
        os.environ[NUMBA] = str(_own_folder() / "numba")
    if _MATPLOTLIB not in os.environ and not (
        _is_writable(_config() / "matplotlib") and _is_writable(_cache() / "matplotlib")
    ):
        place = _own_folder() / "matplotlib"
        place.mkdir(exist_ok=True)
        os.environ[_MATPLOTLIB] = str(place)


def place_of_compiled_code() -> tuple[Path, bool]:
    """Return the folder where numba keeps compiled code, and whether it lasts until the next
    run. Call it after `find_places`."""
    if NUMBA in os.environ:
        place = Path(os.environ[NUMBA])
        return place, not place.is_relative_to(tempfile.gettempdir())
    return (
        _code() / "__pycache__" if _is_writable(_code() / "__pycache__") else _cache() / "numba"
    ), True


def _code() -> Path:
    return Path(__file__).parent


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path(os.path.expanduser("~"), ".cache"))  # noqa: PTH111 (there may be no home)


def _config() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path(os.path.expanduser("~"), ".config"))  # noqa: PTH111


def _is_writable(folder: Path) -> bool:
    """Return whether a file can be made in the folder, found by making one, as numba does: the mode
    does not show that a disk is read-only. For a folder that does not exist, the nearest one above
    it counts."""
    place = next(each for each in (folder, *folder.parents) if each.is_dir())
    try:
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False


def _own_folder() -> Path:
    """Return a folder that no other user can write to, since numba runs what it finds in its
    cache."""
    place = Path(tempfile.gettempdir(), f"texture-toolkit-{os.getuid()}")
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        found = place.lstat()
        if (
            stat.S_ISDIR(found.st_mode)
            and found.st_uid == os.getuid()
            and not found.st_mode & 0o077
        ):
            return place
    except OSError:
        pass
    own = Path(tempfile.mkdtemp(prefix="texture-toolkit-"))  # somebody else has taken the name
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own

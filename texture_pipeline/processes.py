"""Commands in processes of their own, forked from this one, which has imported what they need: a
new Python takes seconds for that in each."""

import atexit
import contextlib
import functools
import gc
import importlib
import multiprocessing.util
import os
import pkgutil
import runpy
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Mapping, Sequence
from typing import IO, NoReturn

from texturelib.orphans import environment_of_child


@functools.cache
def import_all(package: str) -> None:
    """Import the modules of a package, and with them what they need. One that lacks something is
    left out: the command that needs it will say so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in pkgutil.walk_packages(
            importlib.import_module(package).__path__, f"{package}.", onerror=lambda _: None
        ):
            if not module.name.endswith("__main__"):
                with contextlib.suppress(ImportError, OSError):  # OSError: a missing shared library
                    importlib.import_module(module.name)
    gc.freeze()  # a collection in a command would copy every page


class Running:
    """A command that was started.

    mark: what each line that it prints begins with; None for a command whose lines go straight to
    where ours go.
    """

    def __init__(self, process: int, mark: str | None, printed: int | None) -> None:
        self._process, self._mark = process, mark
        self.printed = printed
        """Descriptor of a pipe with what it prints; None where that goes where ours goes."""
        self._waiting = b""
        self._status: int | None = None

    def status(self) -> int | None:
        """Return the exit status, or minus the signal that ended it; None while it runs."""
        if self._status is None:
            process, status = os.waitpid(self._process, os.WNOHANG)
            if process:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def pass_on(self) -> None:
        """Print the whole lines that it has printed by now."""
        if self.printed is None:
            return
        with contextlib.suppress(BlockingIOError):
            while content := os.read(self.printed, 65536):
                self._waiting += content
        *lines, self._waiting = self._waiting.split(b"\n")
        for line in lines:
            self._print(line)

    def end(self) -> None:
        """Print what is left, when it has ended."""
        self.pass_on()
        if self._waiting:
            self._print(self._waiting)
        if self.printed is not None:
            os.close(self.printed)
            self.printed = None

    def send(self, number: signal.Signals) -> None:
        if self.status() is None:
            os.kill(self._process, number)

    def kill(self) -> None:
        """Returns when it has ended."""
        if self.status() is None:
            os.kill(self._process, signal.SIGKILL)
            self._status = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])

    def _print(self, line: bytes) -> None:
        print(f"{self._mark}{line.decode(errors='backslashreplace')}", flush=True)


def start(
    package: str, words: Sequence[str], mark: str | None = None, threads: int | None = None
) -> Running:
    """Start `python -m PACKAGE WORDS`. mark: see `Running`; threads: how many it computes in; None
    for all.

    It never hears a Ctrl-C, which reaches every process of the terminal: it is stopped by its
    parent, in the same way whether a person or a job scheduler stops us.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # else the command would print it again
    environment = environment_of_child()
    read, write = os.pipe() if mark is not None else (None, None)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with warnings.catch_warnings():
            # Of threads: those of numpy's library wait for work, and it lets itself be forked.
            warnings.simplefilter("ignore", DeprecationWarning)
            process = os.fork()
        if not process:
            _become(package, words, environment, write, threads)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if read is not None and write is not None:
        os.close(write)
        os.set_blocking(read, False)
    return Running(process, mark, read)


def _become(
    package: str,
    words: Sequence[str],
    environment: Mapping[str, str],
    printed: int | None,
    threads: int | None,
) -> NoReturn:
    """Run the command in this process, and end it, whatever happens."""
    status = 1
    try:
        for descriptor in (1, 2) if printed is not None else ():
            os.dup2(printed, descriptor)  # type: ignore[arg-type]
        sys.stdout, sys.stderr = _stream(1), _stream(2)
        os.environ |= environment
        if threads:
            _compute_in(threads)
        sys.argv = [package, *words]
        # What was to be done at the end of our process is not the command's.
        atexit._clear()
        multiprocessing.util._finalizer_registry.clear()  # type: ignore[attr-defined]
        atexit.register(multiprocessing.util._exit_function)  # type: ignore[attr-defined]
        runpy.run_module(package, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        # Without taking apart, object for object, all that was imported.
        with contextlib.suppress(BaseException):
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _stream(descriptor: int) -> IO[str]:
    file = os.fdopen(descriptor, "w", errors="backslashreplace", closefd=False)
    file.reconfigure(line_buffering=True)  # type: ignore[attr-defined]
    return file


def _compute_in(threads: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)  # of processes that it starts
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(min(threads, torch.get_num_threads()))

"""A process that has everything imported, and forks a command whenever it is asked for one: as
`python -m PACKAGE` would run it, but without the seconds that its start takes. What is killed in a
test is then a command at work.

A line on its standard input, {"package", "words", "folder", "log"}, starts one. With "obeys_modes",
the modes of files count for it though it is root's; with "clock_jumps", the time of day goes back
and forth by days while it runs; "environment" has further variables, and what is said of errors
goes to "errors", else to "log" too. With "spied_on", the name of a file, each command that opens
such a file is written to "openers". On its standard output it says {"started": process} and, when
that has ended, {"ended": process, "status": as `subprocess` has it}.
"""

import atexit
import ctypes
import gc
import importlib
import itertools
import json
import os
import pkgutil
import select
import signal
import struct
import sys
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

PACKAGES = (
    "synthetic_datasets",
    "real_datasets",
    "domain_adaptation",
    "conditioned_synthesis",
    "texture_pipeline",
)
# What commands import when they run, or what these import.
MODULES = (
    "PIL.PngImagePlugin",
    "_strptime",
    "coverage",  # which numba looks at
    "joblib.externals.loky",
    "matplotlib.backends.backend_agg",
    "jinja2.ext",
    "pandas",
    "scipy.interpolate",
    "scipy.signal",
    "torch.utils.tensorboard.writer",
    "typer",
)


def main() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_all()
    # Those threads have no work.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded, use of fork")
    gc.freeze()  # a collection in a command would copy every page
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    say({"ready": os.getpid()})
    waiting = b""
    while True:
        ready, _, _ = select.select([0, read], [], [])
        if read in ready:
            os.read(read, 4096)
            report_ended()
        if 0 in ready:
            content = os.read(0, 65536)
            if not content:
                return
            *lines, waiting = (waiting + content).split(b"\n")
            for line in lines:
                start(**json.loads(line))


def import_all() -> None:
    for package in map(importlib.import_module, PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    for name in MODULES:
        importlib.import_module(name)


def say(content: dict[str, int]) -> None:
    os.write(1, json.dumps(content).encode() + b"\n")


def report_ended() -> None:
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if process == 0:
            return
        say({"ended": process, "status": os.waitstatus_to_exitcode(status)})


def start(
    package: str,
    words: Sequence[str],
    folder: str,
    log: str,
    *,
    errors: str = "",
    environment: Mapping[str, str] | None = None,
    obeys_modes: bool = False,
    clock_jumps: bool = False,
    spied_on: str = "",
    openers: str = "",
) -> None:
    process = os.fork()
    if process:
        say({"started": process})
        return
    os.setsid()  # a group of its own, as a shell gives it
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for place, descriptor in ((log, 1), (errors or log, 2)):
        os.dup2(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666), descriptor)
    os.environ.update(environment or {})
    if obeys_modes and os.geteuid() == 0:
        give_up_override()
    if clock_jumps:
        let_clock_jump()
    if spied_on:
        spy_on(spied_on, openers)
    run(package, words)


def run(package: str, words: Sequence[str]) -> None:
    """Does not return."""
    sys.argv = [package, *words]
    status = 1
    try:
        importlib.import_module(f"{package}.cli").main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0
    finally:
        end_quickly(status)


def end_quickly(status: int) -> None:
    """Without taking apart, object for object, all that was imported, which would take longer than
    the command did."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(status)


def spy_on(file_name: str, openers: str) -> None:
    """Note the package and first word of each command that opens a file of this name, or such a
    file while it is half-written, as often as it does."""

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and str(arguments[0]).endswith(file_name):
            with open(openers, "a") as file:  # noqa: PTH123
                file.write(" ".join(sys.argv[:2]) + "\n")

    sys.addaudithook(note)


def let_clock_jump() -> None:
    """Each time that the time of day is asked for, it has jumped: a day ahead, three back, and so
    on."""
    real_time, real_time_ns = time.time, time.time_ns
    jumps = itertools.cycle(86400 * days for days in (1, -2, 0, 3, -1))

    def jumping() -> float:
        return real_time() + next(jumps)

    def jumping_ns() -> int:
        return real_time_ns() + next(jumps) * 10**9

    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is real_time or value is real_time_ns:
                setattr(module, name, jumping if value is real_time else jumping_ns)


_DAC_OVERRIDE, _DAC_READ_SEARCH, _CAPBSET_DROP, _CAPABILITY_VERSION_3 = 1, 2, 24, 0x20080522


def give_up_override() -> None:
    """Let the modes of files count for this process and those that it starts, though it is
    root's."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (_DAC_OVERRIDE, _DAC_READ_SEARCH):
        libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    # For 32 capabilities, then for the rest: effective, permitted, inheritable.
    content = ctypes.create_string_buffer(24)
    if libc.capget(header, content):
        raise OSError(ctypes.get_errno(), "capget")
    effective, permitted, *others = struct.unpack("=6I", content)
    kept = ~(1 << _DAC_OVERRIDE | 1 << _DAC_READ_SEARCH)
    if libc.capset(header, struct.pack("=6I", effective & kept, permitted & kept, *others)):
        raise OSError(ctypes.get_errno(), "capset")


if __name__ == "__main__":
    main()

"""What all commands share: common options, errors, and exit statuses (0 done, 1 failed, 2 wrong
usage or config)."""

import errno
import functools
import inspect
import io
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from texturelib.caches import find_places
from texturelib.commands import Command, say
from texturelib.errors import TextureError, UsageError, first_line
from texturelib.extras import TOOLKIT, not_importable
from texturelib.files import printable, shown
from texturelib.orphans import end_with_parent
from texturelib.paths import local_path

ConfigArgument = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="The JSON config; paths in it are relative to it.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY.KEY=VALUE",
        help="Change one value of the config for this run. Repeatable.",
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace an output that was made otherwise.")
]
OverwriteTableOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace a table that is there.")
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        help="How many; as the config's executor says unless given. Never changes the result.",
    ),
]
ExecutorOption = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="TYPE[=ADDRESS]",
        help="Who does the work: local, dask, ray, or a cluster, as dask=tcp://host:8786. Never changes the result.",
    ),
]
_DEBUG = "--debug"
_DebugOption = Annotated[bool, typer.Option(_DEBUG, help="On an error, print the traceback too.")]
_INTERRUPTED = 130


class _App(typer.Typer):
    """A command line whose commands expand paths for this machine and also take `--debug`, which
    `is_debugging` reads."""

    def command(
        self, *arguments: Any, **settings: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        register = super().command(*arguments, **settings)

        def registered(command: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(command)
            def run(**given: Any) -> Any:
                given.pop("debug")
                return command(**{name: _for_this_machine(value) for name, value in given.items()})

            signature = inspect.signature(command)
            debug = inspect.Parameter(
                "debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_DebugOption
            )
            run.__signature__ = signature.replace(  # type: ignore[attr-defined]
                parameters=[*signature.parameters.values(), debug]
            )
            run.__annotations__ = command.__annotations__ | {"debug": _DebugOption}
            return register(run)

        return registered


def _for_this_machine(value: Any) -> Any:
    if not isinstance(value, Path):
        return value
    try:
        return local_path(str(value), Path.cwd())
    except ValueError as error:
        raise UsageError(str(error)) from None


def make_app(help: str, cls: type[TyperGroup] | None = None) -> typer.Typer:
    """Return a command line without colours, completion or tracebacks of its own. help: the
    first text of its `--help`. cls: what finds the command, instead of typer's own."""
    return _App(
        help=help,
        cls=cls,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def is_debugging() -> bool:
    return _DEBUG in sys.argv


def add_command(app: typer.Typer, command: Command) -> None:
    """Add a declared command to the command line."""

    def with_workers(
        config: ConfigArgument,
        set_: SetOption = None,
        workers: WorkersOption = None,
        dry_run: DryRunOption = False,
        overwrite: OverwriteOption = False,
    ) -> None:
        perform(command, config, set_, workers=workers, dry_run=dry_run, overwrite=overwrite)

    def alone(
        config: ConfigArgument,
        set_: SetOption = None,
        dry_run: DryRunOption = False,
        overwrite: OverwriteOption = False,
    ) -> None:
        perform(command, config, set_, dry_run=dry_run, overwrite=overwrite)

    app.command(command.name, help=command.help)(with_workers if command.has_workers else alone)


def perform(
    command: Command,
    config: Path,
    overrides: Sequence[str] | None,
    *,
    workers: int | None = None,
    dry_run: bool = False,
    overwrite: bool = False,
) -> None:
    """Run a declared command unless its output is up to date, and print what happens."""
    from texturelib.config import load_config

    settings = load_config(config, command.config_model, overrides or [])
    output = command.check_output(settings, overwrite=overwrite, dry_run=dry_run)
    if output.is_done:
        say(output, f"{command.plan(settings)}: {output.why}")
        return
    problem = command.problem(settings, workers) if command.problem else None
    if dry_run:
        what, _, further = (command.look_ahead or command.plan)(settings).partition("\n")
        say(output, f"{what} ({output.why})")
        if further:
            print(further)
        if problem:
            print(f"note: {shown(config)}: {problem}")
        return
    if problem:
        raise UsageError(f"{shown(config)}: {problem}")
    say(output, f"{command.plan(settings)} ({output.why})")
    started = time.monotonic()
    result = command.run(settings, output, workers)
    say(output, f"{result}, in {time.monotonic() - started:.0f} s")


def run_app(app: typer.Typer, program: str, without_arguments: Sequence[str] = ("--help",)) -> None:
    """Run the command line, print errors as a sentence, and exit. without_arguments: the
    arguments it takes where none are given."""
    end_with_parent()
    find_places()
    # A terminated job should leave as a Ctrl-C does: workers stopped, half-written files removed.
    signal.signal(signal.SIGTERM, _interrupt)
    warnings.showwarning = _note
    threading.excepthook = _of_thread
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files need not be UTF-8
    arguments = sys.argv[1:] or list(without_arguments)
    if arguments == ["--version"]:
        print(f"{program} {version(TOOLKIT)}")
        sys.exit()
    sys.exit(_status_of(lambda: app(arguments, prog_name=program, standalone_mode=False)))


def _note(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a library's warning as a sentence, without its place in the library's code."""
    print(f"note: {message}", file=sys.stderr)


def _of_thread(failed: threading.ExceptHookArgs) -> None:
    """Report an error of another thread, except a full disk: TensorBoard writes in a thread, and
    the main thread's next write raises that error."""
    if is_debugging() or not isinstance(failed.exc_value, OSError):
        threading.__excepthook__(failed)


def _interrupt(*_: Any) -> None:
    # A second signal should not interrupt the cleanup.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _status_of(run: Callable[[], Any]) -> int:
    try:
        status = run()
        if status == _INTERRUPTED:  # typer's status for a Ctrl-C
            raise KeyboardInterrupt
        return status if isinstance(status, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return _INTERRUPTED
    except TextureError as error:
        return _failed(str(error), error.exit_status)
    except OSError as error:
        return _failed(_os_sentence(error), 1)
    except MemoryError as error:
        return _failed(f"not enough memory: {first_line(error)}", 1)
    except Exception as error:
        if isinstance(error, ImportError) and (sentence := not_importable(error)):
            return _failed(sentence, 1)
        if hasattr(error, "format_message"):  # what typer raises for wrong options
            return _failed(f"{error.format_message()} (--help lists what there is)", 2)  # type: ignore[attr-defined]
        if "can't allocate memory" in str(error):  # torch, whose error is a RuntimeError
            return _failed(
                "not enough memory: " + str(error).partition("can't allocate memory: ")[2], 1
            )
        return _failed(f"unexpected {type(error).__name__}: {error} (--debug shows where)", 1)


def _failed(sentence: str, status: int) -> int:
    if is_debugging():
        traceback.print_exc()
    print(_on_one_line(sentence), file=sys.stderr)
    return status


def _on_one_line(sentence: str) -> str:
    return printable(" ".join(sentence.split("\n")))


def _os_sentence(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"{place}the disk is full; what was finished is kept, and the same command goes on when there is room"
    return f"{place}{error.strerror or error}"

"""Many independent items of work: in parallel, resumable, and with the same results for any
executor and any number of workers.

Each finished item is a line in a journal. A stopped run that is started again skips the finished
items whose files are still there. An item's files must be written (whole) before its work returns.
"""

import json
import os
import signal
import sys
import warnings
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from multiprocessing import resource_tracker
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

import joblib

from texturelib.durable import synced_meanwhile
from texturelib.errors import Rejected, TextureError
from texturelib.executors import Executor, Local, Pool
from texturelib.files import check_file, remove_parts, shown, write_table
from texturelib.made import claim, open_ours
from texturelib.orphans import end_with
from texturelib.progress import progress
from texturelib.shared_memory import note_shared_memory
from texturelib.written import piece_from, recorded

Item = TypeVar("Item")

_THIS_MACHINE = Local()
_RESTARTS = 3
_READERS = 8  # threads that check finished files: a network disk serves many at a time
_NOT_AGAIN = "; what was finished is kept, and the same command goes on"


def run_jobs(
    items: Mapping[str, Item],
    work: Callable[[Item], Any],
    journal: Path | None,
    *,
    label: str,
    executor: Executor = _THIS_MACHINE,
    workers: int | None = None,
    in_threads: bool = False,
    reads: Path | None = None,
    unit: str = "file",
) -> dict[str, Any]:
    """Do `work` on every item that is not in the journal yet, or whose files are gone or damaged.

    work: returns something that JSON can hold, or raises Rejected. journal: in the folder that the
    work writes to; None: a stopped run starts from the beginning, and results need not fit into
    JSON. executor: runs the work. workers: how many, in place of what the executor says.
    in_threads: on this machine, threads of this process instead of processes, for work that waits
    for something outside, or that does not hold Python's lock. reads: without a journal, what the
    work reads, which every worker must see.

    Returns, by key and in the order of `items`: the result, or a Rejected. Errors: those of the
    work; TextureError when there are no workers, or when they are killed over and over.
    """
    if journal:
        claim(journal, is_durable=True)
    done = _finished_before(journal, items, unit) if journal else {}
    n_lost = 0
    try:
        with (
            open_ours(journal, "a", encoding="utf-8") if journal else nullcontext() as lines,
            synced_meanwhile(journal.parent) if journal else nullcontext(),
        ):
            while todo := [(key, item) for key, item in items.items() if key not in done]:
                started = executor.started(workers, len(todo), in_threads)
                try:
                    with closing(_outcomes(todo, work, started, journal, reads)) as outcomes:
                        n_before = len(items) - len(todo)
                        for key, outcome in progress(
                            outcomes, label, total=len(items), unit=unit, initial=n_before
                        ):
                            done[key] = outcome
                            if lines:
                                lines.write(json.dumps([key, outcome]) + "\n")
                                lines.flush()
                except _WorkersLost as lost:
                    n_lost += 1
                    if n_lost > _RESTARTS or not lost.can_restart:
                        raise TextureError(f"{lost}{_NOT_AGAIN}") from lost
                    warnings.warn(f"{lost}; the job goes on with new ones", stacklevel=2)
        if journal and (n_lost or not isinstance(executor, Local)):
            # Files of workers that were killed; others have done their items since.
            remove_parts(journal.parent)
    except BaseException:
        if journal:
            remove_parts(journal.parent)  # of workers that were stopped in the middle of a file
        raise
    return {
        key: Rejected(done[key]["rejected"]) if "rejected" in done[key] else done[key]["result"]
        for key in items
    }


class _WorkersLost(Exception):  # noqa: N818 (it ends in run_jobs)
    """Worker processes died; the work itself did not fail. can_restart: whether new workers are
    worth a try."""

    def __init__(self, what: str, can_restart: bool) -> None:
        super().__init__(what)
        self.can_restart = can_restart


def rejected_of(outcomes: Mapping[str, Any]) -> dict[str, str]:
    """Return the reasons of the rejected items, by key. outcomes: the result of `run_jobs`."""
    return {key: str(outcome) for key, outcome in outcomes.items() if isinstance(outcome, Rejected)}


def write_rejected(
    folder: Path,
    rejected: Mapping[str, str],
    n_items: int,
    max_rejected: float,
    harmless: Mapping[str, str] = MappingProxyType({}),
    key: str = "max_rejected",
) -> None:
    """Write `folder/rejected.csv` (file, reason). harmless: files that were also left out, but do
    not count. key: the key of the config, for the error.

    Errors: TextureError when more than the share `max_rejected` of the items was rejected; the
    table is written first.
    """
    import pandas as pd

    write_table(
        folder / "rejected.csv",
        pd.DataFrame([*rejected.items(), *harmless.items()], columns=["file", "reason"]),
    )
    if rejected and len(rejected) / n_items > max_rejected:
        example, reason = next(iter(rejected.items()))
        raise TextureError(
            f"{len(rejected)} of {n_items} files were left out, more than {key} = {max_rejected:g} allows "
            f"(see {shown(folder / 'rejected.csv')}; the first: {example}: {reason}); {how_to_allow(len(rejected), n_items, key)}"
        )


def how_to_allow(n_rejected: int, n_items: int, key: str = "max_rejected") -> str:
    """Return what a person can do to continue a job with too many rejected files.

    >>> how_to_allow(1586, 2000)
    'mend them, or set max_rejected to 0.8 to take the other 414'
    """
    share = -(-100 * n_rejected // n_items) / 100  # rounded up
    left = n_items - n_rejected
    return f"mend them, or set {key} to {share:g} to take the other {left}" if left else "mend them"


def _outcomes(
    todo: Sequence[tuple[str, Item]],
    work: Callable[[Item], Any],
    started: AbstractContextManager[Pool],
    journal: Path | None,
    reads: Path | None,
) -> Generator[tuple[str, dict[str, Any]], None, None]:
    folder = journal.parent if journal else None
    _keep_resource_tracker_quiet()
    with ExitStack() as stack:
        with _ctrl_c_held_back():
            pool = stack.enter_context(started)
        if pool.is_this_process:
            yield from (_attempt(key, item, work, folder) for key, item in todo)
            return
        if shared := journal or reads:
            pool.check(shared)
        # A worker that has grown by 300 MB, as with its first use of torch, is replaced by joblib,
        # which is its own affair; and where warnings are errors, joblib would wait for ever.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
        # A warning that comes on a Ctrl-C.
        warnings.filterwarnings(
            "ignore", "[0-9]+ tasks which were still being processed", UserWarning
        )
        # Of joblib's own, from their first moment on: a worker that waits for work would wait for
        # minutes.
        at_start = (
            {"initializer": end_with, "initargs": (os.getpid(),)} if pool.backend is None else {}
        )
        parallel = joblib.Parallel(
            n_jobs=pool.n_workers,
            return_as="generator_unordered",
            backend=pool.backend,
            pre_dispatch=pool.pre_dispatch,
            **at_start,
        )
        parent = os.getpid() if pool.are_children else None
        try:
            with _ctrl_c_held_back():
                outcomes = parallel(
                    joblib.delayed(_attempt_in_worker)(key, item, work, folder, parent)
                    for key, item in todo
                )
            note_shared_memory()
            yield from cast("Iterator[tuple[str, dict[str, Any]]]", outcomes)
            if folder:
                pool.sync(folder)
        except BaseException as error:
            if what := pool.explain(error):
                raise _WorkersLost(what, pool.can_restart) from error
            raise


def _keep_resource_tracker_quiet() -> None:
    """Silence loky's resource tracker, a process of its own, which on a Ctrl-C may complain
    about what it then cleans up itself."""
    quiet, others = "ignore:resource_tracker", os.environ.get("PYTHONWARNINGS")
    if quiet not in (others or ""):
        os.environ["PYTHONWARNINGS"] = f"{others},{quiet}" if others else quiet


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Let processes that start in this block ignore Ctrl-C for good, and delay it for this process
    until the block ends.

    A Ctrl-C reaches every process of the terminal, but only the one that the user started should
    answer.
    """
    # Python starts its resource tracker with the first worker, and would let the signal in again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _attempt_in_worker(
    key: str, item: Item, work: Callable[[Item], Any], folder: Path | None, main_pid: int | None
) -> tuple[str, dict[str, Any]]:
    """Do an item in a worker process. main_pid: the process that has started this one, None
    where another did."""
    if os.getppid() == main_pid:
        end_with(main_pid)
    return _attempt(key, item, work, folder)


def _attempt(
    key: str, item: Item, work: Callable[[Item], Any], folder: Path | None
) -> tuple[str, dict[str, Any]]:
    """Do an item, and return its key and outcome. folder: files written into it are part of the
    outcome."""
    try:
        if folder is None:
            return key, {"result": work(item)}
        with recorded(folder) as files:
            result = work(item)
        return key, {"result": result, "files": files}
    except Rejected as rejected:
        return key, {"rejected": str(rejected)}


def _finished_before(journal: Path, items: Collection[str], unit: str) -> dict[str, Any]:
    """Return, by key, the outcomes of an earlier run whose files are all as they were written."""
    outcomes = {key: outcome for key, outcome in _read_journal(journal).items() if key in items}
    with ThreadPoolExecutor(_READERS) as readers:
        found = readers.map(
            lambda outcome: _has_its_files(journal.parent, outcome), outcomes.values()
        )
        is_whole = dict(
            zip(
                outcomes,
                progress(found, f"looking at each {unit}", total=len(outcomes), unit=unit),
                strict=True,
            )
        )
    lost = [key for key in outcomes if not is_whole[key]]
    of_older = [key for key in lost if "files" not in outcomes[key]]
    _say_lost(of_older, "was made by an older version, which did not write down its files")
    _say_lost(
        [key for key in lost if "files" in outcomes[key]],
        "was made before, but its files are gone or damaged",
    )
    return {key: outcome for key, outcome in outcomes.items() if is_whole[key]}


def _say_lost(keys: Sequence[str], why: str) -> None:
    if keys:
        others = f" (and so were {len(keys) - 1} more)" if len(keys) > 1 else ""
        print(f"note: {keys[0]} {why}{others}: made again", file=sys.stderr)


def _has_its_files(folder: Path, outcome: Mapping[str, Any]) -> bool:
    files = outcome.get("files")
    pieces = [piece_from(each) for each in files] if isinstance(files, list) else [None]
    return all(piece is not None and piece.is_in(folder) for piece in pieces)


def _read_journal(journal: Path) -> dict[str, Any]:
    if not journal.exists():
        return {}
    check_file(journal)
    content = journal.read_bytes()
    # A kill may have cut the last line; what follows must start on a line of its own.
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(journal, len(whole))
    outcomes = dict(entry for line in whole.splitlines() if (entry := _entry(line)))
    # What was rejected is tried again: the reason may have been mended since.
    return {key: outcome for key, outcome in outcomes.items() if "result" in outcome}


def _entry(line: bytes) -> tuple[str, dict[str, Any]] | None:
    """Return an item's key and outcome; None where the line is damaged, so that the item is done
    again."""
    try:
        key, outcome = json.loads(line.decode())
    except (ValueError, TypeError, RecursionError):
        return None
    return (key, outcome) if isinstance(key, str) and isinstance(outcome, dict) else None

"""Many independent items of work: side by side, resumable, and the same whatever the number of workers.

Each finished item is a line in a journal; a run that was stopped at any moment leaves the finished ones out when it is
started again. An item's files must be written (whole) before its work returns.
"""

import json
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache
from multiprocessing import resource_tracker
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

import joblib

from texturelib.errors import Rejected, TextureError
from texturelib.files import check_file, remove_parts, shown, write_table
from texturelib.progress import progress

Item = TypeVar("Item")

_ORPHAN_SECONDS = 0.1


def run_jobs(
    items: Mapping[str, Item],
    work: Callable[[Item], Any],
    journal: Path,
    *,
    label: str,
    workers: int | None = None,
    in_threads: bool = False,
) -> dict[str, Any]:
    """Do `work` on every item that the journal does not have yet.

    work: returns what JSON can hold, or raises Rejected. journal: in the folder that the work writes to. workers:
    processes, as many as cores unless given; another machine's may be used through joblib's own backends. in_threads:
    threads of this process instead, for work that waits for something outside of it.
    -> by key, in the order of `items`: the result, or a Rejected.
    """
    done = _read_journal(journal)
    todo = [(key, item) for key, item in items.items() if key not in done]
    workers = min(workers or joblib.cpu_count(), max(1, len(todo)))
    try:
        with journal.open("a", encoding="utf-8") as lines, closing(_outcomes(todo, work, workers, in_threads)) as outcomes:
            for key, outcome in progress(outcomes, label, total=len(items), initial=len(items) - len(todo)):
                done[key] = outcome
                lines.write(json.dumps([key, outcome]) + "\n")
                lines.flush()
    except BaseException:
        remove_parts(journal.parent)  # of workers that were stopped in the middle of a file
        raise
    return {key: Rejected(done[key]["rejected"]) if "rejected" in done[key] else done[key]["result"] for key in items}


def rejected_of(outcomes: Mapping[str, Any]) -> dict[str, str]:
    """outcomes: from `run_jobs` -> by key of what was rejected, the reason."""
    return {key: str(outcome) for key, outcome in outcomes.items() if isinstance(outcome, Rejected)}


def write_rejected(
    folder: Path,
    rejected: Mapping[str, str],
    n_items: int,
    max_rejected: float,
    harmless: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write `folder/rejected.csv` (file, reason). harmless: what was left out too, and does not count.

    Errors: TextureError when more than the share `max_rejected` of the items was rejected; the table is written first.
    """
    import pandas as pd

    write_table(folder / "rejected.csv", pd.DataFrame([*rejected.items(), *harmless.items()], columns=["file", "reason"]))
    if rejected and len(rejected) / n_items > max_rejected:
        example, reason = next(iter(rejected.items()))
        raise TextureError(
            f"{len(rejected)} of {n_items} files were left out, more than max_rejected = {max_rejected:g} allows "
            f"(see {shown(folder / 'rejected.csv')}; the first: {example}: {reason})"
        )


def _outcomes(
    todo: Sequence[tuple[str, Item]], work: Callable[[Item], Any], workers: int, in_threads: bool
) -> Generator[tuple[str, dict[str, Any]], None, None]:
    if workers == 1:
        yield from (_attempt(key, item, work) for key, item in todo)
        return
    _keep_resource_tracker_quiet()
    # A worker that has grown by 300 MB, as with its first use of torch, is replaced by joblib, which is its own affair; and where
    # warnings are errors, joblib would wait for ever.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
    backend = "threading" if in_threads else None  # None is joblib's choice: processes, or what the caller has set up
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", backend=backend)
    with _ctrl_c_held_back():
        outcomes = parallel(joblib.delayed(_attempt_in_worker)(key, item, work, os.getpid()) for key, item in todo)
    yield from cast("Iterator[tuple[str, dict[str, Any]]]", outcomes)


def _keep_resource_tracker_quiet() -> None:
    """loky's resource tracker, a process of its own, may complain on a Ctrl-C of what it then cleans up itself."""
    quiet, others = "ignore:resource_tracker", os.environ.get("PYTHONWARNINGS")
    if quiet not in (others or ""):
        os.environ["PYTHONWARNINGS"] = f"{others},{quiet}" if others else quiet


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Let processes that start in this block never hear a Ctrl-C, and this one only after it.

    It reaches every process of the terminal, but only the one that the user started should answer.
    """
    # Python starts its resource tracker with the first worker, and would let the signal in again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _attempt_in_worker(key: str, item: Item, work: Callable[[Item], Any], main_pid: int) -> tuple[str, dict[str, Any]]:
    if os.getppid() == main_pid:
        _end_with(main_pid)
    return _attempt(key, item, work)


@cache
def _end_with(main_pid: int) -> None:
    """End this process soon after its parent: orphans would go on, and write where the next run does."""

    def watch() -> None:
        while os.getppid() == main_pid:
            time.sleep(_ORPHAN_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _attempt(key: str, item: Item, work: Callable[[Item], Any]) -> tuple[str, dict[str, Any]]:
    try:
        return key, {"result": work(item)}
    except Rejected as rejected:
        return key, {"rejected": str(rejected)}


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
    """-> an item's key and outcome; None where the line was damaged, so that the item is done again."""
    try:
        key, outcome = json.loads(line.decode())
    except (ValueError, TypeError, RecursionError):
        return None
    return (key, outcome) if isinstance(key, str) and isinstance(outcome, dict) else None

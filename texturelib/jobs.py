"""Many independent items of work: side by side, resumable, and the same whatever the number of workers.

Each finished item is a line in a journal; a run that was stopped at any moment leaves the finished ones out when it is
started again. An item's files must be written (whole) before its work returns.
"""

import json
import os
import signal
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

import joblib
from joblib._parallel_backends import LokyBackend

from texturelib.errors import Rejected, TextureError
from texturelib.files import remove_parts, shown, write_table
from texturelib.orphans import end_with
from texturelib.progress import progress

Item = TypeVar("Item")

_NOT_AGAIN = "what was finished is kept, and the same command goes on (where memory ran out: with fewer workers)"


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
    Errors: those of the work; TextureError when workers are killed.
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
    except BaseException as error:
        remove_parts(journal.parent)  # of workers that were stopped in the middle of a file
        if isinstance(error, BrokenProcessPool):
            raise TextureError(f"worker processes were killed; {_NOT_AGAIN}") from error
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
    warnings.filterwarnings("ignore", "[0-9]+ tasks which were still being processed", UserWarning)  # on a Ctrl-C, which says so
    backend = "threading" if in_threads else None  # None is joblib's choice: processes, or what the caller has set up
    # From its first moment on: a worker that waits for work would wait for minutes.
    of_workers = {"initializer": end_with, "initargs": (os.getpid(),)} if backend is None and _starts_processes() else {}
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", backend=backend, **of_workers)
    with _ctrl_c_held_back():
        outcomes = parallel(joblib.delayed(_attempt)(key, item, work) for key, item in todo)
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


def _starts_processes() -> bool:
    """-> whether joblib's choice is its own processes, and not what the caller has set up."""
    backend, _ = joblib.parallel.get_active_backend()
    return isinstance(backend, LokyBackend)


def _attempt(key: str, item: Item, work: Callable[[Item], Any]) -> tuple[str, dict[str, Any]]:
    try:
        return key, {"result": work(item)}
    except Rejected as rejected:
        return key, {"rejected": str(rejected)}


def _read_journal(journal: Path) -> dict[str, Any]:
    if not journal.exists():
        return {}
    content = journal.read_bytes()
    # A kill may have cut the last line; what follows must start on a line of its own.
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(journal, len(whole))
    outcomes = dict(json.loads(line) for line in whole.splitlines())
    # What was rejected is tried again: the reason may have been mended since.
    return {key: outcome for key, outcome in outcomes.items() if "result" in outcome}

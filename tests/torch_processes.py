"""Which processes import torch: that takes seconds in each, and few tests need it in a process of
their own.

Linux's loader writes down what it loads into each process that the tests start, and into those that
these start. A process that is forked from one that has torch loads nothing, and takes no time for
it.
"""

import os
from collections import Counter
from pathlib import Path

# `warm` and `run_command` run a command without one more; a test that cannot do so raises the
# number, and says why.
MOST_IN_QUICK_TESTS = 16
MOST_IN_ALL = 91

_OF_TORCH = b"libtorch_python"
_TESTS = "tests.tsv"


class TorchProcesses:
    """Those that one process of pytest starts. folder: one of its own, for what the loader
    writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: set[str] = {_TESTS}

    def count_from_now_on(self) -> None:
        self._folder.mkdir(parents=True)
        os.environ |= {"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(self._folder / "process")}

    def test_ended(self, test: str) -> None:
        """What has been started since the last test is this one's."""
        new = {entry.name for entry in os.scandir(self._folder)} - self._known
        self._known |= new
        with (self._folder / _TESTS).open("a") as file:
            file.writelines(f"{name}\t{test}\n" for name in new)


def by_test(folder: Path) -> Counter[str]:
    """Return how many processes each test has let import torch, the most first. folder: what holds
    the folders of all processes of pytest."""
    counts: Counter[str] = Counter()
    for own in folder.iterdir():
        tests = own / _TESTS
        lines = tests.read_text().splitlines() if tests.exists() else []
        test_of = dict(line.split("\t", 1) for line in lines)
        counts.update(
            test_of.get(path.name, "the last test")
            for path in own.iterdir()
            if path != tests and _OF_TORCH in path.read_bytes()
        )
    return Counter(dict(counts.most_common()))


def most(mark_expression: str) -> int:
    """Return how many processes may import torch in the tests that have these marks."""
    return MOST_IN_QUICK_TESTS if "not slow" in mark_expression else MOST_IN_ALL

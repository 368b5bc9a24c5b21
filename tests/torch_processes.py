"""Which processes import torch: that takes seconds in each, and few tests need it in a process of
their own.

Linux's loader writes down what it loads into each process that the tests start, and into those that
these start. A process that is forked from one that has torch loads nothing, and takes no time for
it.
"""

import os
from collections import Counter
from pathlib import Path

_OF_TORCH = b"libtorch_python"


class TorchProcesses:
    """folder: an empty one, for what the loader writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._test_of: dict[str, str] = {}

    def count_from_now_on(self) -> None:
        os.environ |= {"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(self._folder / "process")}

    def test_ended(self, test: str) -> None:
        """What has been started since the last test is this one's."""
        for entry in os.scandir(self._folder):
            self._test_of.setdefault(entry.name, test)

    def by_test(self) -> Counter[str]:
        """-> how many processes each test has let import torch, the most first."""
        found = [path.name for path in self._folder.iterdir() if _OF_TORCH in path.read_bytes()]
        counts = Counter(self._test_of.get(name, "the last test") for name in found)
        return Counter(dict(counts.most_common()))

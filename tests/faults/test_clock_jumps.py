"""A time of day that jumps changes nothing: not the results, not whether they are done, and nothing
waits for it.

`pytest tests/faults/test_clock_jumps.py -m long` does so to every command.
"""

import os

import pytest

from .conftest import COMMANDS

SLOW = ("build", "train texenv")
SOME = [
    "label",
    *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW),
    *(
        pytest.param(name, marks=pytest.mark.long)
        for name in COMMANDS
        if name not in ("label", *SLOW)
    ),
]


def run_with_jumps(bench, count):
    bench.check_finished(bench.start(clock_jumps=True))
    # Files from the future and from long ago, as a copy from a machine with a wrong clock brings
    # them.
    for number, path in enumerate(
        path for path in sorted(bench.results.rglob("*")) if path.is_file()
    ):
        if path.stat().st_nlink == 1:
            os.utime(path, (0, 0) if number % 2 else (2**32, 2**32))
    run = bench.start(clock_jumps=True)
    assert run.wait() == 0
    if not bench.name.startswith("import"):
        assert "done and unchanged" in run.said
    count("clock jumps", bench.name, injected=1, resumed=1, lost=0)


@pytest.mark.parametrize("name", SOME)
def test_a_clock_that_jumps_changes_nothing(bench_of, name, count):
    run_with_jumps(bench_of(name), count)

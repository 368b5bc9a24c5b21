"""The tests start few processes that import torch, which is most of what they would wait for. This
one is the last to run."""

import pytest

from .torch_processes import TorchProcesses

# `warm` and `run_command` run a command without one more; a test that cannot do so raises the
# number, and says why.
MOST_IN_QUICK_TESTS = 40
MOST_IN_ALL = 120


def test_few_processes_import_torch(
    torch_processes: TorchProcesses, request: pytest.FixtureRequest
) -> None:
    by_test = torch_processes.by_test()
    most = MOST_IN_QUICK_TESTS if "not slow" in request.config.option.markexpr else MOST_IN_ALL
    assert by_test.total() <= most, "\n".join(
        f"{number:3} {test}" for test, number in by_test.items()
    )

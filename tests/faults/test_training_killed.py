"""A training with two optimisers, killed with kill -9 at chosen moments, ends with the numbers of
one that was not."""

import signal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

# 7 steps of 3 + 1 batches, a checkpoint after steps 2, 4, 6 and 7.
MOMENTS = [
    "batch 2",  # among the first steps of the critic: there is no checkpoint yet
    "checkpoint 4",  # before it is written: steps 3 and 4 are done again
    "batch 17",  # the critic's second step after a checkpoint
    "batch 23",  # the generator's turn
    "step 7",  # all is done, but the last checkpoint is not
]


def trained(
    warm: Any, folder: Path, n_processes: int = 1, moment: str = "never", chance: str = "torch"
) -> int:
    """Return the exit status."""
    folder.mkdir(exist_ok=True)
    run = warm.start(
        "tests.faults.small_gan", [str(folder), str(n_processes), moment, chance], folder
    )
    status = run.wait()
    assert status in (0, -signal.SIGKILL), run.said
    return status


def ended_with(folder: Path) -> tuple[dict[str, Any], str]:
    """Return the last checkpoint and the history."""
    return torch.load(folder / "last.ckpt", weights_only=True), (folder / "history.csv").read_text()


def all_tensors(content: Any, path: str = "") -> dict[str, torch.Tensor]:
    if isinstance(content, torch.Tensor):
        return {path: content}
    parts = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    return {
        name: tensor
        for key, part in parts
        for name, tensor in all_tensors(part, f"{path}/{key}").items()
    }


def check_same(first: Path, second: Path) -> None:
    """All of it: weights, both optimisers, the running average, the generator's state."""
    (one, history), (other, other_history) = ended_with(first), ended_with(second)
    assert history == other_history
    tensors, others = all_tensors(one), all_tensors(other)
    assert tensors.keys() == others.keys()
    assert [name for name in tensors if not torch.equal(tensors[name], others[name])] == []


@pytest.mark.parametrize("n_processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_gan_killed_at_any_moment_ends_as_if_it_had_not_been(warm, tmp_path, n_processes):
    assert trained(warm, tmp_path / "unbroken", n_processes) == 0
    for moment in MOMENTS if n_processes == 1 else MOMENTS[1:4:2]:
        assert trained(warm, tmp_path / moment, n_processes, moment) == -signal.SIGKILL
        assert trained(warm, tmp_path / moment, n_processes) == 0
        check_same(tmp_path / "unbroken", tmp_path / moment)


def test_every_loss_has_its_column(warm, tmp_path):
    assert trained(warm, tmp_path / "gan") == 0
    history = pd.read_csv(tmp_path / "gan/history.csv")
    assert list(history) == [
        "step", "train_critic_loss", "train_penalty_loss", "train_generator_loss", "train_loudness_loss",
        "validation_critic_loss", "validation_generator_loss", "validation_loudness_loss",
    ]  # fmt: skip
    assert history["step"].tolist() == [2, 4, 6, 7]


@pytest.mark.slow
def test_two_processes_train_a_gan_as_one_does(warm, tmp_path):
    """Where chance comes with the batch, and there is no batch normalisation, which would see half
    a batch in each."""
    for n_processes in (1, 2):
        assert trained(warm, tmp_path / str(n_processes), n_processes, chance="batch") == 0
    (one, _), (two, _) = ended_with(tmp_path / "1"), ended_with(tmp_path / "2")
    for name, value in one["weights"].items():
        torch.testing.assert_close(two["weights"][name], value, atol=1e-4, rtol=1e-3)

"""The log of a training."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from texturelib.errors import TextureError
from texturelib.learning.checkpoint import resume, save_checkpoint
from texturelib.learning.training_log import TrainingLog


def test_a_checkpoint_comes_after_the_history_that_leads_to_it(tmp_path: Path) -> None:
    """Or a training killed between the two, which does not do the step again, would never write its
    row."""
    (tmp_path / "last.ckpt").mkdir()  # so that it cannot be written
    with TrainingLog(tmp_path, begins_at=0) as log, pytest.raises(IsADirectoryError):
        log.write(3, {"step": 3}, [{"step": 3, "train_loss": 0.5}], {})
    assert pd.read_csv(tmp_path / "history.csv").to_dict("records") == [
        {"step": 3, "train_loss": 0.5}
    ]


class _State:
    def __init__(self, step: int = 0, kept: dict[str, torch.Tensor] | None = None) -> None:
        self.step, self.kept = step, kept or {}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    "place", ["state.kept.weight", "network.bias", "optimizer.state.0.exp_avg"]
)
def test_a_checkpoint_with_a_number_that_is_not_finite_is_refused_by_the_name_of_its_tensor(
    tmp_path: Path, place: str, value: float
) -> None:
    network = nn.Linear(2, 3)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.zeros(1, 2)).sum().backward()
    optimizer.step()
    kept = {"weight": torch.zeros(2)}
    path = tmp_path / "last.ckpt"
    learning = {"network": network, "optimizer": optimizer}
    save_checkpoint(path, {"step": 3, "kept": kept}, learning)
    assert resume(path, _State, learning).step == 3
    spoilt = {
        "state": kept["weight"],
        "network": network.bias.data,
        "optimizer": optimizer.state[network.weight]["exp_avg"],
    }
    spoilt[place.split(".")[0]].view(-1)[1] = value
    save_checkpoint(path, {"step": 3, "kept": kept}, learning)
    with pytest.raises(
        TextureError,
        match=rf"last\.ckpt: {place}: 1 of its \d numbers are NaN or .*: remove it to start anew$",
    ):
        resume(path, _State, learning)

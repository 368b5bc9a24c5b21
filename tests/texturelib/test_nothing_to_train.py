"""The training loop with a module that has nothing to train, whose buffers are all that it knows."""

import pandas as pd
import pytest
import torch
from torch import nn

from texturelib.learning.compute import ComputeConfig, start_fabric
from texturelib.learning.loop import Plan, train
from texturelib.learning.trainable import Trainable


class Mean(nn.Module):
    """Knows one number."""

    mean: torch.Tensor

    def __init__(self, mean: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([mean]))


class Nothing(Trainable):
    """Trains nothing. held_out: what `Mean` is compared with; none at all has no loss."""

    methods = ("losses",)

    def __init__(self, mean: float, held_out: list[float]) -> None:
        self.module = Mean(mean)
        self._held_out = held_out

    def groups(self):
        return {}

    def validation(self, mine):
        if self._held_out[mine]:
            yield (torch.tensor(self._held_out[mine]),)

    def losses(self, module, batch, group):
        assert (group, module.training) == ("", False)
        return {"loss": (batch[0] - module.mean).square().mean()}


def run(folder, trainable, n_steps=1):
    fabric = start_fabric(ComputeConfig(accelerator="cpu", processes=1))
    return train(trainable, Plan(folder, "nothing", n_steps, 1), fabric)


def test_only_held_out_clips_have_a_loss(tmp_path):
    state = run(tmp_path, Nothing(2.0, [1.0, 4.0]))
    assert state.history == [{"step": 1, "validation_loss": pytest.approx(2.5)}]
    assert pd.read_csv(tmp_path / "history.csv").to_dict("records") == state.history


def test_where_there_are_no_held_out_clips_there_is_no_loss_at_all(tmp_path):
    assert run(tmp_path, Nothing(2.0, [])).history == [{"step": 1}]
    assert (tmp_path / "history.csv").read_text().split() == ["step", "1"]


def test_it_resumes_with_what_it_knew(tmp_path):
    run(tmp_path, Nothing(2.0, [4.0]))
    later = Nothing(7.0, [4.0])
    state = run(tmp_path, later, n_steps=2)
    assert [row["validation_loss"] for row in state.history] == [4.0, 4.0]
    assert float(later.module.mean) == 2.0

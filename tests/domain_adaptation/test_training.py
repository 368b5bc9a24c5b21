from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from domain_adaptation.config import ComputeConfig, TrainingConfig
from domain_adaptation.training import Clips, fit, start_fabric
from texturelib.errors import TextureError

RNG = np.random.default_rng(0)
INPUTS = RNG.standard_normal((50, 3)).astype(np.float32)
TARGETS = (INPUTS @ np.array([[1.0], [-2.0], [0.5]])).astype(np.float32)


def make_module() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 1))


def squared(module: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return nn.functional.mse_loss(module(inputs), targets)


def train(module: nn.Module, folder: Path, epochs: int, loss=squared, learning_rate: float = 0.01, schedule="constant"):
    return fit(
        module,
        loss,
        Clips(np.arange(40), INPUTS, TARGETS),
        Clips(np.arange(40, 50), INPUTS, TARGETS),
        TrainingConfig(epochs=epochs, batch_size=8, learning_rate=learning_rate, schedule=schedule),
        folder=folder,
        seed=1,
        fabric=start_fabric(ComputeConfig(accelerator="cpu")),
        label="test network",
    )


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    unbroken, stopped = make_module(), make_module()
    train(unbroken, tmp_path / "unbroken", 6)
    train(stopped, tmp_path / "stopped", 2)
    train(torch.nn.Sequential(*make_module()), tmp_path / "stopped", 6)
    histories = [(tmp_path / name / "history.csv").read_bytes() for name in ("unbroken", "stopped")]
    assert histories[0] == histories[1]
    checkpoints = [torch.load(tmp_path / name / "last.ckpt", weights_only=True) for name in ("unbroken", "stopped")]
    for name, value in checkpoints[0]["weights"].items():
        assert torch.equal(value, checkpoints[1]["weights"][name])


def test_the_best_weights_are_kept_while_training_goes_on_to_worse_ones(tmp_path):
    module = make_module()
    state = train(module, tmp_path, 12, learning_rate=0.3)  # so high that the loss goes up and down
    losses = pd.read_csv(tmp_path / "history.csv")["validation_loss"]
    assert state.kept_epoch == losses.idxmin() < 11
    with torch.no_grad():
        kept = squared(module.eval(), torch.from_numpy(INPUTS[40:]), torch.from_numpy(TARGETS[40:]))
    # history.csv has the mean over batches of 8 and 2, weighted; the same sum in another order
    assert float(kept) == pytest.approx(losses.min(), rel=1e-5)


def test_a_loss_that_is_no_number_ends_the_training_with_a_sentence(tmp_path):
    with pytest.raises(TextureError, match="test network: the loss is no longer a number in epoch 1; lower the learning rate"):
        train(make_module(), tmp_path, 1, loss=lambda module, inputs, targets: squared(module, inputs, targets) * float("nan"))


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    torch.save({"weights": {}}, tmp_path / "last.ckpt")
    with pytest.raises(TextureError, match=r"last\.ckpt: not a checkpoint of this training"):
        train(make_module(), tmp_path, 1)


def test_tensorboard_events_are_written(tmp_path):
    train(make_module(), tmp_path, 1)
    assert list((tmp_path / "tensorboard").glob("events.out.tfevents.*"))


def test_a_cosine_schedule_runs_the_learning_rate_down(tmp_path, monkeypatch):
    rates = []

    class Watched(torch.optim.Adam):
        def step(self, closure=None):
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    monkeypatch.setattr(torch.optim, "Adam", Watched)
    train(make_module(), tmp_path, 4, learning_rate=0.1, schedule="cosine")
    # 40 clips in batches of 8 are 5 steps an epoch. Half a cosine in four steps: 1, (1 + cos 45 deg) / 2, 1/2, ...
    assert rates[::5] == pytest.approx([0.1, 0.0854, 0.05, 0.0146], abs=1e-4)

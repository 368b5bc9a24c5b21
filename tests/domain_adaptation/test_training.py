from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from domain_adaptation.cli import app
from domain_adaptation.features.waveform import Waveform
from domain_adaptation.models.extractor import Extractor
from domain_adaptation.networks.cnn import Cnn
from domain_adaptation.training.clips import Clips, Training, train_on_clips
from domain_adaptation.training.config import TrainingConfig
from domain_adaptation.training.extractor import AnswersDiffer
from domain_adaptation.training.losses import SupervisedLoss
from texturelib.errors import TextureError, UsageError
from texturelib.learning.compute import ComputeConfig, start_fabric

RNG = np.random.default_rng(0)
INPUTS = RNG.standard_normal((50, 3)).astype(np.float32)
TARGETS = (INPUTS @ np.array([[1.0], [-2.0], [0.5]])).astype(np.float32)


def make_module() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 1))


def squared(module: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return nn.functional.mse_loss(module(inputs), targets)


def train(
    module,
    folder,
    epochs,
    loss=squared,
    processes=1,
    n_validation=10,
    inspect=None,
    keeps_best=True,
    **settings,
):
    return train_on_clips(
        module,
        loss,
        Clips(np.arange(40), INPUTS, TARGETS),
        Clips(np.arange(40, 40 + n_validation), INPUTS, TARGETS),
        Training(
            TrainingConfig(
                **{"epochs": epochs, "batch_size": 8, "learning_rate": 0.01, **settings}
            ),
            folder,
            1,
            "test network",
            keeps_best=keeps_best,
            inspect=inspect,
        ),
        start_fabric(ComputeConfig(accelerator="cpu", processes=processes)),
    )


@pytest.fixture
def rates(monkeypatch):
    """Return the learning rate of every step that is taken while the test runs."""
    seen = []

    class Watched(torch.optim.Adam):
        def step(self, closure=None):
            seen.append(self.param_groups[0]["lr"])
            return super().step(closure)

    monkeypatch.setattr(torch.optim, "Adam", Watched)
    return seen


@pytest.mark.parametrize(
    "settings", [{}, {"schedule": "one_cycle"}, {"weight_decay": 0.1}, {"schedule": "cosine"}]
)
def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path, settings):
    class Stopped(Exception):  # noqa: N818
        pass

    def stop_in_the_fourth_epoch(module, inputs, targets):
        steps.append(1)
        # 5 batches and 2 of validation an epoch: in the middle of the fourth.
        if len(steps) == 3 * 7 + 3:
            raise Stopped
        return squared(module, inputs, targets)

    steps = []
    unbroken, stopped, resumed = make_module(), make_module(), make_module()
    train(unbroken, tmp_path / "unbroken", 6, **settings)
    with pytest.raises(Stopped):
        train(stopped, tmp_path / "stopped", 6, loss=stop_in_the_fourth_epoch, **settings)
    assert len(pd.read_csv(tmp_path / "stopped/history.csv")) == 3
    train(resumed, tmp_path / "stopped", 6, **settings)
    histories = [(tmp_path / name / "history.csv").read_bytes() for name in ("unbroken", "stopped")]
    assert histories[0] == histories[1]
    checkpoints = [
        torch.load(tmp_path / name / "last.ckpt", weights_only=True)
        for name in ("unbroken", "stopped")
    ]
    for name, value in checkpoints[0]["weights"].items():
        assert torch.equal(value, checkpoints[1]["weights"][name])
    for name, value in unbroken.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name])


def test_a_training_that_is_done_is_only_read_again(tmp_path):
    first, second = make_module(), make_module()
    state = train(first, tmp_path, 3)
    times = (tmp_path / "last.ckpt").stat().st_mtime_ns
    again = train(second, tmp_path, 3)
    assert (again.kept_row, again.history) == (state.kept_row, state.history)
    assert (tmp_path / "last.ckpt").stat().st_mtime_ns == times
    assert all(
        torch.equal(value, second.state_dict()[name]) for name, value in first.state_dict().items()
    )


def test_the_best_weights_are_kept_while_training_goes_on_to_worse_ones(tmp_path):
    module = make_module()
    state = train(module, tmp_path, 12, learning_rate=0.3)  # so high that the loss goes up and down
    losses = pd.read_csv(tmp_path / "history.csv")["validation_loss"]
    assert state.kept_row == losses.idxmin() < 11
    with torch.no_grad():
        kept = squared(module.eval(), torch.from_numpy(INPUTS[40:]), torch.from_numpy(TARGETS[40:]))
    # history.csv has the mean over batches of 8 and 2, weighted; the same sum in another order
    assert float(kept) == pytest.approx(losses.min(), rel=1e-5)


def test_the_last_weights_are_kept_where_the_loss_says_nothing(tmp_path):
    state = train(make_module(), tmp_path, 12, learning_rate=0.3, keeps_best=False)
    assert state.kept_row == 11


def test_training_stops_when_the_validation_loss_has_not_fallen_for_so_long(tmp_path):
    losses = iter([3.0, 2.0, 2.5, 2.25, 2.0, 1.0])  # 2.0 again is not lower than 2.0

    def told(module, inputs, targets):
        loss = squared(module, inputs, targets)
        return loss if module.training else loss * 0 + next(losses)

    state = train(make_module(), tmp_path, 6, loss=told, patience=3, batch_size=10)
    assert (len(state.history), state.kept_row) == (5, 1)
    assert pd.read_csv(tmp_path / "history.csv")["validation_loss"].tolist() == [
        3.0,
        2.0,
        2.5,
        2.25,
        2.0,
    ]
    # Started again, it stands where it stood.
    assert len(train(make_module(), tmp_path, 6, loss=told, patience=3, batch_size=10).history) == 5


def test_patience_never_ends_a_training_that_goes_on_getting_better(tmp_path):
    counter = iter(range(100, 0, -1))

    def told(module, inputs, targets):
        loss = squared(module, inputs, targets)
        return loss if module.training else loss * 0 + next(counter)

    assert len(train(make_module(), tmp_path, 6, loss=told, patience=1, batch_size=10).history) == 6


def test_a_loss_that_is_no_number_ends_the_training_with_a_sentence(tmp_path):
    with pytest.raises(
        TextureError,
        match="test network: the loss is no longer a number in epoch 1; lower the learning rate",
    ):
        train(
            make_module(),
            tmp_path,
            1,
            loss=lambda module, inputs, targets: squared(module, inputs, targets) * float("nan"),
        )
    assert not (tmp_path / "last.ckpt").exists()


def test_a_module_is_inspected_after_each_epoch_as_it_will_be_used(tmp_path):
    seen = []

    def inspect(module):
        seen.append(module.training)
        if len(seen) == 3:
            raise TextureError("it has gone wrong")

    with pytest.raises(TextureError, match="it has gone wrong"):
        train(make_module(), tmp_path, 14, inspect=inspect)
    assert seen == [False] * 3
    # 5 steps an epoch: after fewer than 50, a network that has hardly begun would look as if it had collapsed.
    assert len(pd.read_csv(tmp_path / "history.csv")) == 11


def test_a_short_training_is_inspected_when_it_ends(tmp_path):
    def inspect(module):
        raise TextureError("it has gone wrong")

    with pytest.raises(TextureError, match="it has gone wrong"):
        train(make_module(), tmp_path, 2, inspect=inspect)
    assert len(pd.read_csv(tmp_path / "history.csv")) == 1


def test_a_network_that_answers_every_clip_alike_is_named():
    truth = np.linspace(0.2, 0.8, 8, dtype=np.float32)[:, None]
    clips = RNG.integers(-30000, 30000, (8, 64)).astype(np.int16)
    differ = AnswersDiffer(Waveform(noise=None), clips, truth)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 1))
    differ(network)
    nn.init.zeros_(network[1].weight)
    nn.init.constant_(network[1].bias, 0.25)
    with pytest.raises(
        TextureError, match=r"the network has collapsed: it answers 0\.250 to every clip; lower the"
    ):
        differ(network)
    AnswersDiffer(Waveform(noise=None), clips[:1], truth)(network)  # one clip cannot tell


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    torch.save({"weights": {}}, tmp_path / "last.ckpt")
    with pytest.raises(
        TextureError,
        match=r"last\.ckpt: not a checkpoint of this training .*; remove it to start anew",
    ):
        train(make_module(), tmp_path, 1)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut off"])
def test_a_broken_checkpoint_is_refused(tmp_path, content):
    (tmp_path / "last.ckpt").write_bytes(content)
    with pytest.raises(
        TextureError,
        match=r"last\.ckpt: not a checkpoint of this training .*; remove it to start anew",
    ):
        train(make_module(), tmp_path, 1)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_checkpoint_that_was_cut_off_is_refused(tmp_path, share):
    train(make_module(), tmp_path, 1)
    content = (tmp_path / "last.ckpt").read_bytes()
    (tmp_path / "last.ckpt").write_bytes(content[: int(share * len(content))])
    with pytest.raises(
        TextureError,
        match=r"last\.ckpt: not a checkpoint of this training .*; remove it to start anew",
    ):
        train(make_module(), tmp_path, 2)


def test_tensorboard_events_are_written(tmp_path):
    train(make_module(), tmp_path, 1)
    assert list((tmp_path / "tensorboard").glob("events.out.tfevents.*"))


def test_a_last_batch_of_a_single_clip_is_left_out(tmp_path):
    # 40 clips in batches of 13 leave one over, which batch normalisation could not take.
    assert len(train(make_module(), tmp_path, 2, batch_size=13).history) == 2


# The learning rate. 40 clips in batches of 8 are 5 steps an epoch. -----------------------------------------------------


def test_a_cosine_schedule_runs_the_learning_rate_down_epoch_by_epoch(tmp_path, rates):
    train(make_module(), tmp_path, 4, learning_rate=0.1, schedule="cosine")
    # Half a cosine in four steps: 1, (1 + cos 45 deg) / 2, 1/2, ...
    assert rates[::5] == rates[4::5] == pytest.approx([0.1, 0.0854, 0.05, 0.0146], abs=1e-4)


def test_one_cycle_runs_up_over_a_tenth_of_all_steps_then_down_to_nothing(tmp_path, rates):
    train(make_module(), tmp_path, 8, learning_rate=0.1, schedule="one_cycle")
    assert len(rates) == 40
    # The 25th part to begin with, as Smith and Topin's followers do.
    assert rates[0] == pytest.approx(0.004)
    assert np.argmax(rates) == 4  # a tenth of 40
    assert rates[4] == pytest.approx(0.1)
    assert np.diff(rates[:5]) == pytest.approx([0.024] * 4)  # a straight line
    assert (np.diff(rates[4:]) < 0).all()
    assert rates[22] == pytest.approx(0.05)  # half-way down half a cosine
    assert rates[-1] < 0.001


def test_a_constant_rate_is_constant(tmp_path, rates):
    train(make_module(), tmp_path, 2, learning_rate=0.1)
    assert rates == [0.1] * 10


# Several processes. ---------------------------------------------------------------------------------------------------


class Counting(nn.Module):
    """Counts its steps in a buffer, as batch normalisation keeps statistics in some."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("n_steps", torch.zeros(()))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.n_steps += 1
        return inputs


@pytest.fixture
def importable(monkeypatch):
    """Other processes import this file by its name, to know the functions that they are given."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2])


@pytest.mark.slow
def test_two_processes_train_as_one_does(tmp_path, importable):
    modules = []
    for _ in range(2):
        torch.manual_seed(0)
        # Without batch normalisation and chance, so that a batch in two halves teaches what the
        # whole one does.
        modules.append(nn.Sequential(nn.Linear(3, 8), Counting(), nn.Tanh(), nn.Linear(8, 1)))
    # 9 validation clips in batches of 8 leave one process without a clip of the last.
    one = train(modules[0], tmp_path / "one", 6, n_validation=9)
    two = train(modules[1], tmp_path / "two", 6, n_validation=9, processes=2)
    for mine, theirs in zip(one.history, two.history, strict=True):
        assert theirs == pytest.approx(mine, rel=1e-3)  # the same sums in another order
    assert len(pd.read_csv(tmp_path / "two/history.csv")) == 6
    # The weights came back from where they were trained.
    for name, value in modules[0].state_dict().items():
        torch.testing.assert_close(modules[1].state_dict()[name], value, atol=1e-3, rtol=1e-3)


def no_number(module: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return squared(module, inputs, targets) * float("nan")


@pytest.mark.slow
def test_an_error_in_another_process_is_the_same_sentence(tmp_path, importable):
    with pytest.raises(
        TextureError,
        match=r"^test network: the loss is no longer a number in epoch 1; lower the learning rate",
    ):
        train(make_module(), tmp_path, 1, loss=no_number, processes=2)


def test_a_machine_without_what_is_asked_for_says_so():
    if torch.cuda.is_available():
        pytest.skip("this machine has it")
    with pytest.raises(
        UsageError, match=r'compute: "cuda" in 3, "32-true" cannot be had here \(.+\)'
    ):
        start_fabric(ComputeConfig(accelerator="cuda", processes=3))


@pytest.mark.slow
def test_an_extractor_is_trained_by_two_processes_from_the_command_line(
    sets, config_of, run_command
):
    network = {"epochs": 8, "batch_size": 16, "learning_rate": 0.003}
    split = {"train": 0.6, "validation": 0.2, "test": 0.2}
    losses = []
    for processes in (1, 2):
        compute = {"accelerator": "cpu", "processes": processes}
        config_of(sets, extractor=network, split=split, compute=compute, output=f"by_{processes}")
        done = run_command(app, "train-extractor", sets / "adaptation.json")
        assert done.status == 0, done.err
        folder = sets / f"by_{processes}/extractor"
        assert len(pd.read_csv(folder / "history.csv")) == 8
        losses.append(pd.read_csv(folder / "history.csv")["validation_loss"].min())
        assert not list(folder.glob("*.part-*"))
    # Noise and the halves that batches are normalised by differ: alike, not equal. Answering the
    # mean is off by 0.2.
    assert losses[1] == pytest.approx(losses[0], abs=0.08)


def test_an_extractor_reads_in_the_precision_of_the_config(tmp_path):
    model = Extractor(Cnn(n_blocks=2), (1, 16, 16), 1)
    seen = set()
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(lambda *given: seen.add(given[2].dtype))
    features = np.random.default_rng(0).standard_normal((50, 1, 16, 16)).astype(np.float32)

    def loss(module, inputs, targets):
        reading = module.read(inputs)
        assert reading.labels.dtype == reading.scale.dtype == torch.float32
        return SupervisedLoss(Waveform(), "l1").of(reading, targets)

    train_on_clips(
        model,
        loss,
        Clips(np.arange(40), features, TARGETS),
        Clips(np.arange(40, 50), features, TARGETS),
        Training(
            TrainingConfig(epochs=1, batch_size=8), tmp_path, 1, "extractor", methods=["read"]
        ),
        start_fabric(ComputeConfig(accelerator="cpu", precision="bf16-mixed")),
    )
    assert seen == {torch.bfloat16}

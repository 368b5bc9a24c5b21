"""The adversary of a training: what it learns, when, and that nothing of it stays."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from conditioned_synthesis.data.clips import Sounds
from conditioned_synthesis.data.split import SplitSounds
from conditioned_synthesis.instrument.automation import constant
from conditioned_synthesis.losses.adversary import Adversary
from conditioned_synthesis.synthesisers.texenv.settings import TexEnv
from conditioned_synthesis.training.command import plan_of
from texturelib.controls import Control
from texturelib.learning import loop
from texturelib.learning.compute import ComputeConfig, start_fabric

RATE = 8000
SMALL = {
    "n_bands": 8,
    "channels": 8,
    "n_layers": 2,
    "batch_size": 4,
    "num_steps": 4,
    "schedule": "constant",
}


def bursts(n_sounds: int, per_second: int, seed: int = 0) -> torch.Tensor:
    noise = 0.1 * torch.randn(n_sounds, RATE, generator=torch.Generator().manual_seed(seed))
    is_burst = torch.arange(RATE) % (RATE // per_second) < RATE // 64
    return noise * torch.where(is_burst, 3.0, 0.1)


def test_it_learns_to_tell_one_texture_from_another():
    torch.manual_seed(0)
    critic = Adversary(channels=8, penalty=0.1).critic(RATE, RATE)
    optimizer = torch.optim.Adam(critic.parameters(), 0.002, betas=(0.0, 0.99))
    losses = []
    for seed in range(25):
        loss = critic.losses(bursts(6, 10, 100 + seed), bursts(6, 4, seed))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(2, abs=0.5)  # of hinges, where it knows nothing
    assert losses[-1] < 1
    with torch.no_grad():
        # A texture's own sounds, never heard before, are taken for clips.
        assert critic(bursts(6, 4, 500)) < 0 < critic(bursts(6, 10, 600))


def test_its_loss_has_a_gradient_to_the_sounds_and_two_channels_are_looked_at_alike():
    critic = Adversary(channels=4).critic(RATE, RATE)
    critic.losses(bursts(2, 4), bursts(2, 4, 1))
    sounds = bursts(2, 4).requires_grad_()
    loss = critic(sounds)
    (gradient,) = torch.autograd.grad(loss, sounds)
    assert torch.isfinite(gradient).all()
    assert gradient.abs().sum() > 0
    both = critic(torch.stack([sounds, sounds], dim=2))
    torch.testing.assert_close(both, loss)


def clips() -> SplitSounds:
    samples = (bursts(6, 4).numpy().clip(-1, 1) * 32767).astype(np.int16)
    controls = (Control("a", 0.0, 1.0, ""),)
    sounds = Sounds(RATE, samples, [[constant(row / 5)] for row in range(6)], controls)
    return SplitSounds(sounds, np.arange(5), np.arange(5, 6))


def trained(folder: Path, stop_after: int | None = None, **keys: object) -> tuple:
    """Return the weights and the history of a training."""
    settings = TexEnv.model_validate(
        {**SMALL, "checkpoint": 2, "adversary": {"channels": 4, "begins": 0.5, **keys}}
    )
    torch.manual_seed(0)
    network = settings.network(1, RATE)
    training = settings.training(network, clips(), 0)
    plan = plan_of(settings, folder, after_step=print)
    if stop_after:
        plan = dataclasses.replace(plan, n_steps=stop_after)
    folder.mkdir(exist_ok=True)
    state = loop.train(training, plan, start_fabric(ComputeConfig(accelerator="cpu")))
    return network.state_dict(), state.history


def test_it_begins_when_it_should_and_is_no_part_of_what_is_kept(tmp_path):
    weights, history = trained(tmp_path)
    assert set(weights) == set(TexEnv.model_validate(SMALL).network(1, RATE).state_dict())
    assert history[0]["train_critic_loss"] == history[0]["train_adversary_loss"] == 0
    assert history[1]["train_critic_loss"] > 0
    assert history[1]["train_adversary_loss"] != 0
    other, _ = trained(tmp_path / "heavier", weight=5.0)
    assert not torch.equal(other["leave.weight"], weights["leave.weight"])


def test_a_stopped_training_goes_on_as_if_it_had_not_been(tmp_path):
    whole, _ = trained(tmp_path / "whole")
    begun, _ = trained(tmp_path / "parts", stop_after=2)
    assert not torch.equal(begun["leave.weight"], whole["leave.weight"])
    resumed, _ = trained(tmp_path / "parts")
    for name, value in whole.items():
        assert torch.equal(resumed[name], value), name

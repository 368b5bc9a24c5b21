import math

import numpy as np
import pytest
import torch
from torch import nn

from domain_adaptation.adversaries import Frozen, Learning
from domain_adaptation.config import ComputeConfig
from domain_adaptation.methods.adda import Adda
from domain_adaptation.training import Clips, fit, start_fabric

RNG = np.random.default_rng(0)
SYNTHETIC = torch.from_numpy(RNG.standard_normal((400, 4)).astype(np.float32))
REAL = (RNG.standard_normal((300, 4)) * 0.5 + 3).astype(np.float32)  # far from the synthetic ones, and closer together


def linear_encoder() -> nn.Module:
    """Leaves its input as it is, at first."""
    encoder = nn.Linear(4, 4)
    with torch.no_grad():
        encoder.weight.copy_(torch.eye(4))
        encoder.bias.zero_()
    return encoder


def adapt(folder, epochs, schedule="constant"):
    torch.manual_seed(0)
    method = Adda(epochs=epochs, batch_size=64, learning_rate=0.01, discriminator_learning_rate=0.01, schedule=schedule)
    encoder, objective = linear_encoder(), method.objective(nn.Identity(), SYNTHETIC)
    fit(
        encoder,
        objective,
        Clips(np.arange(250), REAL),
        Clips(np.arange(250, 300), REAL),
        method,
        folder=folder,
        seed=0,
        fabric=start_fabric(ComputeConfig(accelerator="cpu")),
        label="adaptation",
        keeps_best=method.keeps_best,
        also_saved=objective,
    )
    return encoder


def test_a_frozen_classifier_is_asked_for_the_cross_entropy_of_synthetic():
    always_even = nn.Linear(4, 1)
    nn.init.zeros_(always_even.weight)
    nn.init.zeros_(always_even.bias)
    # A logit of 0 is "as likely real as synthetic": -log(1/2).
    assert float(Frozen(always_even)(linear_encoder(), SYNTHETIC).detach()) == pytest.approx(math.log(2))


def test_a_learning_discriminator_brings_real_clips_to_where_the_synthetic_ones_are(tmp_path):
    encoder = adapt(tmp_path, 60, schedule="cosine")
    with torch.no_grad():
        moved = encoder(torch.from_numpy(REAL))
    # They began 3 away in each of 4 directions. Two networks that chase each other come to no full rest: a quarter of the way.
    assert float((moved.mean(dim=0) - SYNTHETIC.mean(dim=0)).norm()) < 0.25 * (4 * 3**2) ** 0.5


def test_an_adaptation_that_was_stopped_goes_on_with_its_discriminator(tmp_path):
    unbroken = adapt(tmp_path / "unbroken", 6)
    adapt(tmp_path / "stopped", 3)
    resumed = adapt(tmp_path / "stopped", 6)
    assert torch.equal(unbroken.weight, resumed.weight)


def test_the_discriminator_does_not_learn_from_validation_clips():
    torch.manual_seed(0)
    objective = Learning(SYNTHETIC, hidden_size=8, learning_rate=0.1)
    encoder = linear_encoder().eval()
    losses = [float(objective(encoder, torch.from_numpy(REAL)).detach()) for _ in range(2)]
    assert losses[0] == losses[1]
    objective(encoder.train(), torch.from_numpy(REAL))
    assert float(objective(encoder.eval(), torch.from_numpy(REAL)).detach()) != losses[0]

"""A synthesiser trains in the precision of `compute.precision`; its sounds, and what is measured in
them, stay in 32 bits."""

import numpy as np
import pytest
import torch
from torch import nn

from conditioned_synthesis.data.clips import Sounds
from conditioned_synthesis.data.split import split_sounds
from conditioned_synthesis.dsp.texture_statistics import TextureStatistics
from conditioned_synthesis.instrument.automation import constant
from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn
from conditioned_synthesis.synthesisers.texenv.settings import TexEnv
from texturelib.controls import Control
from texturelib.learning.compute import ComputeConfig, start_fabric
from texturelib.learning.loop import Plan, train

RATE = 4000


@pytest.fixture(scope="module")
def split():
    clips = np.random.default_rng(0).normal(0, 3000, (8, RATE)).astype(np.int16)
    automations = [[constant(index / 7)] for index in range(8)]
    return split_sounds(Sounds(RATE, clips, automations, (Control("rate", 0.0, 1.0, ""),)), 0.25, 0)


@pytest.mark.parametrize(
    "settings",
    [
        Mtcrnn(hidden_size=16, seq_len=100),
        TexEnv(seconds=0.5, channels=8, n_layers=2, n_bands=8),
    ],
    ids=lambda settings: settings.type,
)
def test_layers_compute_in_it_and_the_loss_is_nearly_that_of_32_bits(
    tmp_path, split, settings, monkeypatch
):
    compared = set()
    loss = TextureStatistics.loss

    def watched(self, made, clips):
        compared.update({made.dtype, clips.dtype, (made @ made.T).dtype})
        return loss(self, made, clips)

    monkeypatch.setattr(TextureStatistics, "loss", watched)
    losses = []
    for precision, computed in (("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)):
        torch.manual_seed(0)
        network = settings.network(1, RATE)
        seen = set()
        for layer in network.modules():
            if isinstance(layer, nn.Linear):
                layer.register_forward_hook(lambda *given, seen=seen: seen.add(given[2].dtype))
        fabric = start_fabric(ComputeConfig(accelerator="cpu", precision=precision))
        training = settings.training(network, split, 0)
        state = train(training, Plan(tmp_path / precision, "precision", 1, 1), fabric)
        assert seen == {computed}
        losses.append(state.history[0]["train_loss"])
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)  # 0.2 % was measured
    assert compared <= {torch.float32}

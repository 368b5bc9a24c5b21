"""The compiled step against torch's own, sample by sample."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from conditioned_synthesis.synthesisers.mtcrnn.player import FastGru
from texturelib.errors import TextureError

N_SAMPLES = 400
FIRST = 127  # silence


class Network(nn.Module):
    """The same network as torch runs it. 40 units: fewer than what the compiled one works in fill
    up with zeros."""

    def __init__(
        self, n_layers: int = 1, n_controls: int = 2, onehot: bool = False, hidden: int = 40
    ) -> None:
        super().__init__()
        self.i2d = nn.Linear((256 if onehot else 1) + n_controls, hidden)
        self.gru = nn.GRU(hidden, hidden, n_layers, batch_first=True)
        self.h2o = nn.Linear(hidden, 256)
        self.onehot = onehot

    def fast(self, **options: bool) -> FastGru:
        weights = {name: weight.numpy() for name, weight in self.state_dict().items()}
        return FastGru(weights, self.gru.num_layers, onehot=self.onehot, **options)

    def no_state(self) -> np.ndarray:
        return np.zeros((self.gru.num_layers, self.gru.hidden_size), np.float32)

    def step(
        self, index: int, controls: np.ndarray, state: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        before = np.eye(256)[index] if self.onehot else [index / 256]
        inputs = torch.tensor(np.concatenate([before, controls]), dtype=torch.float32)
        output, state = self.gru(torch.relu(self.i2d(inputs))[None, None], state)
        return self.h2o(output)[0, 0], state

    def generate(
        self, controls: np.ndarray, uniforms: np.ndarray, temperature: float = 1.0
    ) -> tuple[np.ndarray, np.ndarray]:
        indices, index, state = [], FIRST, torch.from_numpy(self.no_state())[:, None]
        with torch.inference_mode():
            for row, uniform in zip(controls, uniforms, strict=True):
                logits, state = self.step(index, row, state)
                cumulative = torch.softmax(logits.double() / temperature, 0).cumsum(0)
                index = min(int((cumulative <= uniform).sum()), 255)
                indices.append(index)
        return np.array(indices), state[:, 0].numpy()


@pytest.fixture
def network() -> Callable[..., Network]:
    """Makes networks whose weights are 4 times as large as torch's: from torch's own, all samples
    are nearly as likely."""

    def make(**sizes: Any) -> Network:
        torch.manual_seed(7)
        made = Network(**sizes)
        with torch.no_grad():
            for weight in made.parameters():
                weight *= 4
        return made

    return make


def moving(n_controls: int) -> np.ndarray:
    return np.random.default_rng(1).random((N_SAMPLES, n_controls), np.float32)


def held(n_controls: int) -> np.ndarray:
    """Two values, each for half of the time."""
    return np.repeat(moving(n_controls)[:2], N_SAMPLES // 2, axis=0)


@pytest.fixture
def uniforms() -> np.ndarray:
    return np.random.default_rng(2).random(N_SAMPLES)


@pytest.mark.parametrize("controls_of", [held, moving])
@pytest.mark.parametrize("n_controls", [0, 1, 3])
@pytest.mark.parametrize("onehot", [False, True])
@pytest.mark.parametrize("n_layers", [1, 3])
def test_it_draws_the_samples_that_torch_draws(
    network, uniforms, n_layers, onehot, n_controls, controls_of
):
    net = network(n_layers=n_layers, n_controls=n_controls, onehot=onehot)
    controls = controls_of(n_controls)
    expected, expected_state = net.generate(controls, uniforms)
    assert 20 < len(set(expected)) < 250  # neither always the same, nor any as likely as another
    indices, state = net.fast().generate(controls, uniforms, 1.0, FIRST, net.no_state())
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_allclose(state, expected_state, rtol=0, atol=1e-4)  # 1.4e-6 was measured


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_it_draws_the_samples_that_torch_draws_at_other_temperatures(
    network, uniforms, temperature
):
    net = network()
    expected, _ = net.generate(held(2), uniforms, temperature)
    indices, _ = net.fast().generate(held(2), uniforms, temperature, FIRST, net.no_state())
    np.testing.assert_array_equal(indices, expected)


@pytest.mark.parametrize("controls_of", [held, moving])
def test_two_blocks_are_the_same_sound_as_one(network, uniforms, controls_of):
    net, controls = network(n_layers=3), controls_of(2)
    whole, last_state = net.fast().generate(controls, uniforms, 1.0, FIRST, net.no_state())
    fast = net.fast()
    begun, state = fast.generate(controls[:150], uniforms[:150], 1.0, FIRST, net.no_state())
    ended, state = fast.generate(controls[150:], uniforms[150:], 1.0, begun[-1], state)
    np.testing.assert_array_equal(np.concatenate([begun, ended]), whole)
    np.testing.assert_array_equal(state, last_state)


def test_hearing_a_sound_is_as_good_as_having_made_it(network, uniforms):
    net, controls = network(n_layers=3), moving(2)
    indices, state = net.fast().generate(controls, uniforms, 1.0, FIRST, net.no_state())
    heard = net.fast().prime(np.concatenate([[FIRST], indices[:-1]]), controls, net.no_state())
    np.testing.assert_array_equal(heard, state)


def test_a_state_that_was_passed_in_stays_as_it_was(network, uniforms):
    net, state = network(), np.full((1, 40), 0.5, np.float32)
    fast = net.fast()
    fast.generate(held(2), uniforms, 1.0, FIRST, state)
    fast.prime(np.arange(N_SAMPLES) % 256, held(2), state)
    assert (state == 0.5).all()


@pytest.mark.parametrize("temperature", [1e-6, 0.0])
def test_without_temperature_it_takes_the_likeliest(network, uniforms, temperature):
    net = network()
    indices, _ = net.fast().generate(moving(2), uniforms, temperature, FIRST, net.no_state())
    index, state = FIRST, torch.zeros(1, 1, 40)
    with torch.inference_mode():
        for row, drawn in zip(moving(2), indices, strict=True):
            logits, state = net.step(index, row, state)
            index = int(logits.argmax())
            assert drawn == index


@pytest.mark.parametrize("temperature", [1e-6, 1.0, 1e6])
def test_the_ends_of_the_uniform_numbers_give_indices_that_are_possible(network, temperature):
    net = network()
    with torch.inference_mode():
        net.h2o.bias[200:] = net.h2o.bias[:3] = -1e9  # these are impossible
    fast = net.fast()
    for uniform, expected in ((0.0, 3), (0.999999999, 199), (1 - 2**-53, 199)):
        drawn, _ = fast.generate(
            held(2), np.full(N_SAMPLES, uniform), temperature, FIRST, net.no_state()
        )
        assert drawn.min() >= 3
        assert drawn.max() <= 199
        if temperature == 1e6:
            assert (drawn == expected).all()  # where all that are possible are as likely


def test_a_state_that_fades_away_leaves_no_number_that_processors_are_slow_with(network):
    net = network()
    with torch.no_grad():
        for weight in net.parameters():
            weight.zero_()  # each step halves the state
    state = net.fast().prime(np.zeros(150, np.uint8), held(2)[:150], np.ones((1, 40), np.float32))
    assert (state == 0).all()  # 0.5 ** 150 would be 7e-46


def test_weights_in_bytes_give_almost_the_same_states(network, uniforms):
    net = network(n_layers=3)
    indices, expected = net.fast().generate(held(2), uniforms, 1.0, FIRST, net.no_state())
    fast = net.fast(in_bytes=True)
    heard = fast.prime(np.concatenate([[FIRST], indices[:-1]]), held(2), net.no_state())
    # 0.053 was measured; a state is within -1..1.
    np.testing.assert_allclose(heard, expected, rtol=0, atol=0.1)


def test_weights_that_are_not_finite_are_named(network):
    net = network()
    with torch.no_grad():
        net.gru.weight_hh_l0[3, 3] = float("nan")
    with pytest.raises(TextureError, match=r"gru\.weight_hh_l0"):
        net.fast()


def test_what_does_not_fit_is_refused(network, uniforms):
    net = network()
    fast, controls, state = net.fast(), held(2), net.no_state()
    with pytest.raises(ValueError, match=r"should be \[samples, 2\]"):
        fast.generate(held(3), uniforms, 1.0, FIRST, state)
    with pytest.raises(ValueError, match="399 uniform numbers"):
        fast.generate(controls, uniforms[1:], 1.0, FIRST, state)
    with pytest.raises(ValueError, match="256 should be within"):
        fast.generate(controls, uniforms, 1.0, 256, state)
    with pytest.raises(ValueError, match="finite"):
        fast.generate(controls * np.nan, uniforms, 1.0, FIRST, state)
    with pytest.raises(ValueError, match="399 samples"):
        fast.prime(np.zeros(399, np.uint8), controls, state)
    with pytest.raises(ValueError, match="a state of shape"):
        fast.prime(np.zeros(N_SAMPLES, np.uint8), controls, state[:, 1:])

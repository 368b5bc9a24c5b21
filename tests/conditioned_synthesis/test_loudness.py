"""A synthesiser is made as loud as what it learnt from."""

import numpy as np
import pytest

from conditioned_synthesis.instrument import About, Instrument, Slider
from conditioned_synthesis.lines import constant
from conditioned_synthesis.loudness import as_loud_as
from conditioned_synthesis.sounds import Sounds
from conditioned_synthesis.synthesisers.mtcrnn import Mtcrnn
from texturelib.controls import Control

LEVEL = Control("level", 0.0, 1.0, "")


class Player:
    """Plays noise as loud as its control."""

    def __init__(self, seed: int, scale: float, power: float) -> None:
        self._rng, self._scale, self._power = np.random.default_rng(seed), scale, power

    def play(self, controls: np.ndarray) -> np.ndarray:
        return (self._scale * controls[:, 0] ** self._power * self._rng.standard_normal(len(controls))).astype(np.float32)


class Network:
    def __init__(self, scale: float, power: float) -> None:
        self.scale, self.power = scale, power

    def player(self, seed: int, **_) -> Player:
        return Player(seed, self.scale, self.power)


def instrument(scale: float, gains_db: tuple[float, ...] = (), power: float = 1) -> Instrument:
    sliders = (Slider(control=LEVEL.describe(), low=0.0, high=1.0),)
    return Instrument(Network(scale, power), About(synthesiser=Mtcrnn(), sliders=sliders, sample_rate=8000, gains_db=gains_db))


@pytest.fixture
def sounds() -> Sounds:
    rng = np.random.default_rng(1)
    values = np.repeat([0.2, 0.4, 0.8], 20)
    clips = (2**15 * 0.1 * values[:, None] * rng.standard_normal((60, 8000))).clip(-(2**15), 2**15 - 1).astype(np.int16)
    return Sounds(8000, clips, [[constant(value)] for value in values], (LEVEL,))


@pytest.mark.parametrize(("scale", "gain"), [(0.1, 0.0), (0.05, 6.02), (0.2, -6.02), (0.001, 12.0), (0.0, 0.0)])
def test_the_gain_is_what_lacks_within_12_db(sounds, scale, gain):
    about = as_loud_as(sounds, np.arange(60), instrument(scale)).about
    given = np.array([[0.2], [0.4], [0.8]])
    assert 20 * np.log10(about.gain(given)) == pytest.approx([gain] * 3, abs=0.4)


def test_the_gain_follows_the_control_where_what_lacks_does(sounds):
    """Played at the square of the control, soft sounds are too soft."""
    about = as_loud_as(sounds, np.arange(60), instrument(0.1, power=2)).about
    given = np.array([[0.2], [0.4], [0.8]])
    assert 20 * np.log10(about.gain(given)) == pytest.approx(np.minimum(-20 * np.log10(given[:, 0]), 12), abs=1.0)


def test_it_is_played_with_its_gains():
    soft, loud = (instrument(0.1, gains).play({"level": constant(1.0)}, 0.5, 1) for gains in ((), (3.0, 2.0, 1.0206)))
    np.testing.assert_allclose(loud, 2 * soft, rtol=1e-4)

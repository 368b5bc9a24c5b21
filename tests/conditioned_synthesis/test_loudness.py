"""A synthesiser is made as loud as what it learnt from."""

import numpy as np
import pytest

from conditioned_synthesis.data.clips import Sounds
from conditioned_synthesis.instrument.automation import constant
from conditioned_synthesis.instrument.instrument import Instrument, ModelSpec, Slider
from conditioned_synthesis.instrument.loudness import as_loud_as
from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn
from texturelib.controls import Control

LEVEL = Control("level", 0.0, 1.0, "")


class Player:
    """Plays noise as loud as its control."""

    def __init__(self, seed: int, scale: float, power: float) -> None:
        self._rng, self._scale, self._power = np.random.default_rng(seed), scale, power

    def play(self, controls: np.ndarray) -> np.ndarray:
        return (
            self._scale * controls[:, 0] ** self._power * self._rng.standard_normal(len(controls))
        ).astype(np.float32)


class Network:
    def __init__(self, scale: float, power: float) -> None:
        self.scale, self.power = scale, power

    def player(self, seed: int, **_) -> Player:
        return Player(seed, self.scale, self.power)


def instrument(scale: float, power: float = 1) -> Instrument:
    sliders = (Slider(control=LEVEL.describe(), low=0.0, high=1.0),)
    return Instrument(
        Network(scale, power), ModelSpec(synthesiser=Mtcrnn(), sliders=sliders, sample_rate=8000)
    )


@pytest.fixture
def sounds() -> Sounds:
    rng = np.random.default_rng(1)
    values = np.repeat([0.2, 0.4, 0.8], 20)
    clips = (
        (2**15 * 0.1 * values[:, None] * rng.standard_normal((60, 8000)))
        .clip(-(2**15), 2**15 - 1)
        .astype(np.int16)
    )
    return Sounds(8000, clips, [[constant(value)] for value in values], (LEVEL,))


@pytest.mark.parametrize(
    ("scale", "gain"), [(0.1, 0.0), (0.05, 6.02), (0.2, -6.02), (0.001, 12.0), (0.0, 0.0)]
)
def test_the_gain_is_what_lacks_within_12_db(sounds, scale, gain):
    spec = as_loud_as(sounds, instrument(scale)).spec
    given = np.array([[0.2], [0.4], [0.8]])
    assert 20 * np.log10(spec.gain(given)) == pytest.approx([gain] * 3, abs=0.4)


def test_the_gain_follows_the_control_where_what_lacks_does(sounds):
    """Played at the square of the control, soft sounds are too soft."""
    spec = as_loud_as(sounds, instrument(0.1, power=2)).spec
    given = np.array([[0.2], [0.4], [0.8]])
    assert 20 * np.log10(spec.gain(given)) == pytest.approx(
        np.minimum(-20 * np.log10(given[:, 0]), 12), abs=1.0
    )


def test_what_lacks_at_an_end_alone_is_mended_there(sounds):
    """Played 8 dB too soft at the highest value, and right at the others."""

    class SoftAtTheEnd(Player):
        def play(self, controls: np.ndarray) -> np.ndarray:
            return super().play(controls) * np.where(controls[:, 0] > 0.7, 0.4, 1).astype(
                np.float32
            )

    soft = instrument(0.1)
    soft.network.player = lambda seed, **_: SoftAtTheEnd(seed, 0.1, 1)
    found = 20 * np.log10(as_loud_as(sounds, soft).spec.gain(np.array([[0.2], [0.4], [0.8]])))
    assert found == pytest.approx([0, 0, 8], abs=1.0)


def test_each_control_has_its_own_gain():
    """What is played lacks 6 dB where the first control is high, whatever the second is."""
    rng = np.random.default_rng(2)
    values = rng.random((80, 2))
    clips = (
        (2**15 * 0.05 * 2 ** values[:, :1] * rng.standard_normal((80, 8000)))
        .clip(-(2**15), 2**15 - 1)
        .astype(np.int16)
    )
    other = Control("other", 0.0, 1.0, "")
    two = Sounds(8000, clips, [[constant(a), constant(b)] for a, b in values], (LEVEL, other))
    sliders = tuple(Slider(control=each.describe(), low=0.0, high=1.0) for each in (LEVEL, other))
    flat = Instrument(
        Network(0.05, 0), ModelSpec(synthesiser=Mtcrnn(), sliders=sliders, sample_rate=8000)
    )
    spec = as_loud_as(two, flat).spec
    given = np.array([[0.1, 0.1], [0.1, 0.9], [0.9, 0.1], [0.9, 0.9]])
    # The clips that are compared are the nearest of 80, and so not quite at the same place.
    assert 20 * np.log10(spec.gain(given)) == pytest.approx(6.02 * given[:, 0], abs=1.0)


def test_it_is_played_with_its_gains():
    soft, loud = instrument(0.1), instrument(0.1)
    sliders = (loud.spec.sliders[0].model_copy(update={"loudness": ((0.0, 3.0), (1.0, 6.0206))}),)
    loud = Instrument(loud.network, loud.spec.model_copy(update={"sliders": sliders}))
    soft, loud = (each.play({"level": constant(1.0)}, 0.5, 1) for each in (soft, loud))
    np.testing.assert_allclose(loud, 2 * soft, rtol=1e-4)

"""The engine of live playing: what a sound card is given is what the voice renders, however the
sound card asks for it."""

import itertools

import numpy as np
import pytest
import soxr

from conditioned_synthesis.instrument.automation import constant
from conditioned_synthesis.instrument.instrument import Instrument
from conditioned_synthesis.live.engine import Engine
from conditioned_synthesis.live.resampled import Resampled
from conditioned_synthesis.live.voice import Voice

from .live_parts import RATE, block_of, make_instrument, until

BLOCK = 256


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    return make_instrument()


def test_sliders_at_rest_sound_as_generate_plays_them(instrument):
    voice = Voice(instrument, seed=4)
    voice.set(0, 0.7)
    voice.render(8000)  # it glides there
    automations = {"size": constant(0.7)}
    expected = instrument.play(automations, 1.0, 4)[8000:]
    found = voice.render(8000)[:, 0]
    # The network still remembers how the slider came there, which fades out within 27 frames.
    np.testing.assert_allclose(found[4000:], expected[4000:], atol=1e-5)


@pytest.mark.parametrize("size", [1, 63, 2000])
def test_blocks_of_any_size_are_the_same_sound(instrument, size):
    whole, parts = Voice(instrument, seed=5), Voice(instrument, seed=5)
    for each in (whole, parts):
        each.set(0, 0.9)
        each.set_volume(-6.0)
    expected = whole.render(2000)
    found = [parts.render(min(size, 2000 - begin)) for begin in range(0, 2000, size)]
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-5)


def test_sliders_and_volume_are_held_within_their_ranges(instrument):
    voice = Voice(instrument)
    voice.set(0, 7.0)
    assert voice.positions[0] == 0.9
    voice.set_physical(0, 1.0)
    assert voice.positions[0] == pytest.approx(0.5)
    voice.set_physical(0, -3.0)  # has no place on an exponential slider
    assert voice.positions[0] == 0.1
    voice.set_volume(99.0)
    assert voice.volume_db == 12.0
    for no_number in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="no position"):
            voice.set(0, no_number)


def test_at_its_softest_it_is_silent(instrument):
    voice = Voice(instrument, volume_db=-60.0)
    assert not voice.render(100).any()


def test_another_seed_fades_in_without_a_jump(instrument):
    voice = Voice(instrument, seed=1)
    before = voice.render(8000)
    voice.set_seed(2)
    across = np.concatenate([before[-1:], voice.render(2048)])[:, 0]
    largest = np.abs(np.diff(before[:, 0])).max()
    assert np.abs(np.diff(across)).max() < 1.5 * largest
    undisturbed = Voice(instrument, seed=1)
    undisturbed.render(8000 + 2048)
    found, other = voice.render(2000), undisturbed.render(2000)
    assert abs(np.corrcoef(found[:, 0], other[:, 0])[0, 1]) < 0.2


def test_a_sound_card_of_another_rate_gets_the_same_sound(instrument):
    voice, rendered = Voice(instrument, seed=1), Voice(instrument, seed=1)
    resampled = Resampled(voice, 44100)
    found = np.concatenate([resampled.render(size) for size in (1, 500, 3000, 18549)])
    expected = soxr.resample(rendered.render(RATE // 2 + 4000), RATE, 44100)
    # The filter of a stream takes the same samples, so what comes is the same, too.
    assert len(found) == 22050
    np.testing.assert_allclose(found, expected[:22050], atol=1e-4)


def test_a_mono_sound_goes_to_all_channels(instrument):
    engine = Engine(Voice(instrument), BLOCK)
    engine.fill()
    out = block_of(engine, BLOCK, n_channels=2)
    assert out.any()
    np.testing.assert_array_equal(out[:, 0], out[:, 1])


def test_too_few_samples_are_counted_and_the_sound_goes_on_where_it_was(instrument):
    engine, voice = Engine(Voice(instrument, seed=2), BLOCK), Voice(instrument, seed=2)
    engine.fill()
    n_ready = engine.n_ready
    first = block_of(engine, n_ready + 100)
    assert engine.underflows == 1
    assert not first[n_ready:].any()
    engine.fill()
    second = block_of(engine, BLOCK)
    assert engine.underflows == 1
    expected = voice.render(n_ready + BLOCK)
    np.testing.assert_allclose(np.concatenate([first[:n_ready], second]), expected, atol=1e-6)


def test_what_the_sound_card_says_of_itself_is_counted(instrument):
    engine = Engine(Voice(instrument), BLOCK)
    engine.fill()
    engine.callback(np.zeros((BLOCK, 1), np.float32), BLOCK, None, "output underflow")
    assert engine.underflows == 1


def test_blocks_that_take_longer_than_they_last_are_counted(instrument):
    seconds = itertools.accumulate(itertools.cycle([0.0, BLOCK / RATE * 1.1, 0.0, 0.001]))
    engine = Engine(Voice(instrument), BLOCK, clock=lambda: next(seconds))
    engine.fill()
    n_blocks = engine.n_ready // BLOCK
    assert engine.late == (n_blocks + 1) // 2


@pytest.mark.slow
def test_a_minute_has_no_glitch_and_loses_no_sample(instrument):
    """With a sound card whose blocks are not those of the engine, and that is as fast as it is
    given samples; sliders move all the time."""
    n_samples, block, size = 60 * RATE, 2048, 441
    # A clock that stands still: what is tested is that nothing is lost, not this machine.
    engine = Engine(Voice(instrument, seed=9), block, clock=lambda: 0.0)
    engine.start()
    heard = []
    for _ in range(n_samples // size):
        until(lambda: engine.n_ready >= size)
        heard.append(block_of(engine, size))
    engine.stop()
    assert engine.glitches == 0
    assert engine.n_played == n_samples // size * size
    found = np.concatenate(heard)
    voice = Voice(instrument, seed=9)
    expected = np.concatenate([voice.render(block) for _ in range(len(found) // block)])
    np.testing.assert_array_equal(found[: len(expected)], expected)


def test_an_error_while_rendering_is_kept_for_who_started_it(instrument, monkeypatch):
    voice = Voice(instrument)
    engine = Engine(voice, BLOCK)
    engine.start()
    monkeypatch.setattr(voice, "render", lambda _: 1 / 0)
    block_of(engine, 2 * BLOCK)
    until(lambda: engine.failure)
    engine.stop()
    assert isinstance(engine.failure, ZeroDivisionError)

"""OSC, MIDI and keys move an instrument that is played live."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from conditioned_synthesis.instrument.instrument import Instrument
from conditioned_synthesis.live.engine import Engine
from conditioned_synthesis.live.midi import Knob, MidiControl, MidiMap, open_midi
from conditioned_synthesis.live.osc import OscServer
from conditioned_synthesis.live.terminal import Terminal
from conditioned_synthesis.live.voice import Voice
from texturelib.errors import TextureError, UsageError

from .live_parts import block_of, make_instrument, until

BLOCK = 512


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    return make_instrument()


@pytest.fixture
def voice(instrument: Instrument) -> Voice:
    return Voice(instrument, seed=1)


@pytest.fixture
def server(voice: Voice) -> Iterator[OscServer]:
    server = OscServer(voice, "127.0.0.1", 0)
    yield server
    server.close()


def send(server: OscServer, address: str, *values: Any) -> None:
    from pythonosc.udp_client import SimpleUDPClient

    client = SimpleUDPClient(*server.place)
    with client:
        client.send_message(address, list(values))


# ---- OSC ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "value"), [("/size", 1.8), ("/slider/0", 0.9), ("/level", -20)]
)
def test_the_block_after_a_message_differs(instrument, voice, server, address, value):
    engine, undisturbed = Engine(voice, BLOCK), Engine(Voice(instrument, seed=1), BLOCK)
    for each in (engine, undisturbed):
        each.fill()
    np.testing.assert_array_equal(block_of(engine, BLOCK), block_of(undisturbed, BLOCK))
    before = [*voice.positions, voice.volume_db]
    send(server, address, value)
    until(lambda: [*voice.positions, voice.volume_db] != before)
    # What was rendered ahead is played as it is.
    n_ready = engine.n_ready
    np.testing.assert_array_equal(block_of(engine, n_ready), block_of(undisturbed, n_ready))
    for each in (engine, undisturbed):
        each.fill()
    assert np.abs(block_of(engine, BLOCK) - block_of(undisturbed, BLOCK)).max() > 1e-3


def test_messages_are_in_the_sliders_units(voice, server):
    send(server, "/how_dense", 5)
    until(lambda: voice.positions[1] == 0.5)
    send(server, "/slider/1", 0.25)
    until(lambda: voice.physical(1) == 3.0)
    send(server, "/seed", 77)
    until(lambda: voice.seed == 77)


@pytest.mark.parametrize(
    ("address", "values", "words"),
    [
        ("/sise", [1.0], "/sise: no such address"),
        ("/slider/7", [1.0], "/slider/7: no such address"),
        ("/size", ["large"], "/size large: it takes one number"),
        ("/size", [], "/size : it takes one number"),
        ("/size", [float("nan")], "it takes one number"),
        ("/seed", [-1], "/seed -1: it takes one number"),
    ],
)
def test_a_message_that_means_nothing_is_named_and_changes_nothing(
    voice, server, address, values, words
):
    before = list(voice.positions)
    send(server, address, *values)
    until(lambda: server.ignored)
    assert words in server.ignored
    assert voice.positions == before


def test_a_port_that_is_taken_is_a_sentence(voice, server):
    host, port = server.place
    with pytest.raises(TextureError, match=rf"cannot listen on {host}:{port} .*--osc-port"):
        OscServer(voice, host, port)


# ---- MIDI -----------------------------------------------------------------------------------------


def knob(control: int, value: int, channel: int = 0) -> SimpleNamespace:
    return SimpleNamespace(type="control_change", channel=channel, control=control, value=value)


class FakePort:
    """What `mido.open_input` gives."""

    def __init__(self, name: str, callback: Any) -> None:
        self.name, self.callback = name, callback


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two MIDI ports in place of the machine's."""
    mido = pytest.importorskip("mido")
    pytest.importorskip("rtmidi")
    monkeypatch.setattr(mido, "get_input_names", lambda: ["Through 14:0", "nanoKONTROL2 20:0"])
    monkeypatch.setattr(mido, "open_input", FakePort)


def test_a_knob_that_was_learnt_moves_its_slider_also_in_the_next_session(voice, ports, tmp_path):
    from mido import Message

    path = tmp_path / "knobs" / "midi.json"
    control = MidiControl(voice, MidiMap(path))
    port = open_midi("nanokontrol", control)
    assert port.name == "nanoKONTROL2 20:0"
    port.callback(Message("control_change", channel=2, control=21, value=127))
    assert voice.positions == [0.5, 0.5]  # nobody knows this knob yet
    control.learning = 0
    port.callback(Message("note_on", note=60))
    assert control.learning == 0
    port.callback(Message("control_change", channel=2, control=21, value=127))
    assert control.learning is None
    assert voice.positions == [0.9, 0.5]  # of the range of its training
    later = MidiControl(voice, MidiMap(path))
    later.receive(Message("control_change", channel=2, control=21, value=0))
    assert voice.positions == [0.1, 0.5]
    later.receive(Message("control_change", channel=3, control=21, value=127))
    assert voice.positions == [0.1, 0.5]


def test_a_map_that_is_none_is_refused(tmp_path):
    path = tmp_path / "midi.json"
    for content in ([1], {"size": 21}, {"size": {"channel": 17, "control": 1}}):
        path.write_text(json.dumps(content))
        with pytest.raises(TextureError, match=r"midi.json: should name knobs"):
            MidiMap(path)


def test_a_port_that_is_not_there_names_those_that_are(voice, ports, tmp_path):
    control = MidiControl(voice, MidiMap(tmp_path / "midi.json"))
    with pytest.raises(UsageError, match=r"--midi faders: no such port; there are Through 14:0, "):
        open_midi("faders", control)


# ---- the terminal ---------------------------------------------------------------------------------


def test_keys_move_the_chosen_slider_and_the_view_shows_it(voice, tmp_path):
    engine = Engine(voice, BLOCK)
    midi = MidiControl(voice, MidiMap(tmp_path / "midi.json"))
    terminal = Terminal(voice, engine, midi)
    assert all(terminal.press(key) for key in ["down", *["right"] * 5, "left", "-"])
    assert voice.positions == [0.5, pytest.approx(0.58)]
    first, second, sound, *_ = terminal.lines()
    assert first.startswith("  size")
    assert "1 x" in first
    assert second.startswith("> how dense ##############....")
    assert "5.64 layers/s" in second
    assert "volume -1 dB" in sound
    assert "no glitches" in sound
    terminal.press("m")
    assert "move a knob" in terminal.lines()[1]
    midi.receive(knob(7, 64))
    assert terminal.lines()[1].endswith("CC 7")
    assert not terminal.press("q")


def test_glitches_are_shown(voice):
    engine = Engine(voice, BLOCK)
    block_of(engine, 10)
    assert "1 glitches (1 heard, 0 blocks late)" in Terminal(voice, engine, None).lines()[2]


def test_another_sound_is_a_key(voice):
    terminal = Terminal(voice, Engine(voice, BLOCK), None)
    terminal.press("s")
    assert voice.seed != 1
    assert terminal.press("unknown")


def test_knob_names_its_channel_unless_it_is_the_first():
    assert [str(Knob(1, 21)), str(Knob(3, 21))] == ["CC 21", "CC 21/3"]

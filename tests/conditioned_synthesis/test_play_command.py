"""`play`: a model folder on a sound card, or to a file in real time."""

import importlib
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from conditioned_synthesis.instrument.instrument import save_instrument
from conditioned_synthesis.live import command as live_command

from .live_parts import RATE, FakeSoundCard, make_instrument


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    save_instrument(tmp_path / "model", make_instrument())
    return tmp_path / "model"


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> FakeSoundCard:
    card = FakeSoundCard()
    monkeypatch.setitem(sys.modules, "sounddevice", card)  # type: ignore[arg-type]
    return card


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        return own.getsockname()[1]


def test_without_a_sound_card_it_plays_to_a_file(model, command, tmp_path):
    words = ["play", "--model", model, "--output", tmp_path / "a.wav", "--osc-port", 0]
    status, printed, errors = command(*words, "--seconds", 0.3, "--seed", 5)
    assert status == 0, errors
    assert "without a sound card, 16000 Hz" in printed
    assert re.search(r"/size 0.5743..1.741 x, /slider/0 0..1\n", printed)
    assert re.search(r"a.wav: played 0.\d s, ", printed)
    samples, rate = soundfile.read(tmp_path / "a.wav")
    assert (len(samples), rate) == (round(0.3 * RATE), RATE)
    assert samples.any()
    status, _, errors = command(*words, "--seconds", 0.1)
    assert status == 2
    assert "--overwrite" in errors


def test_it_plays_on_a_sound_card(model, card, command):
    status, printed, errors = command(
        "play", "--model", model, "--seconds", 1, "--no-osc", "--block", 300
    )
    assert status == 0, errors
    assert "on fake, 16000 Hz, blocks of 300, 75 ms ahead" in printed
    assert re.search(r"\nplayed \d+.\d s, ", printed)
    heard = np.concatenate(card.heard)
    assert heard.shape[1] == 2
    assert len(heard) >= RATE
    assert heard[:, 0].std() > 0


def test_a_sound_card_of_another_rate_is_played_at_its_own(model, command, monkeypatch):
    card = FakeSoundCard(rates=(48000,))
    monkeypatch.setitem(sys.modules, "sounddevice", card)  # type: ignore[arg-type]
    status, printed, errors = command("play", "--model", model, "--seconds", 0.2, "--no-osc")
    assert status == 0, errors
    assert "48000 Hz (made at 16000 Hz), blocks of 1024" in printed


def test_ctrl_c_ends_it_and_keeps_what_was_played(model, command, tmp_path, monkeypatch):
    def interrupted(engine, *_):
        if engine.n_played:
            raise KeyboardInterrupt
        return False

    monkeypatch.setattr(live_command, "_is_over", interrupted)
    output = tmp_path / "a.wav"
    status, printed, errors = command("play", "--model", model, "--output", output, "--no-osc")
    assert (status, errors) == (0, "")
    assert "a.wav: played" in printed
    assert len(soundfile.read(output)[0]) > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "model"]


def test_a_sound_card_that_stops_is_an_error(model, card, command):
    card.fails_after = 2
    status, _, errors = command("play", "--model", model, "--no-osc")
    assert (status, errors) == (1, "play: the sound card has stopped\n")


@pytest.fixture
def fails_to_import(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Exception], None]:
    """Let importing a module fail with an error."""
    real = importlib.import_module

    def install(module: str, error: Exception) -> None:
        def imported(name: str, *words: str | None) -> object:
            if name == module:
                raise error
            return real(name, *words)

        monkeypatch.setattr("importlib.import_module", imported)

    return install


@pytest.mark.parametrize(
    ("words", "module", "package"),
    [
        ([], "sounddevice", "sounddevice"),
        (["--output", "a.wav"], "pythonosc.osc_server", "python-osc"),
        (["--output", "a.wav", "--no-osc", "--midi", "x"], "mido", "mido"),
    ],
)
def test_a_missing_package_names_the_extra(
    model, command, fails_to_import, monkeypatch, tmp_path, words, module, package
):
    fails_to_import(module, ModuleNotFoundError(name=module))
    monkeypatch.chdir(tmp_path)
    status, _, errors = command("play", "--model", model, *words)
    assert status == 2
    assert (
        errors
        == f"play: takes the package {package}, which is not installed: pip install 'texture-toolkit[live]'\n"
    )


def test_a_missing_portaudio_is_a_sentence(model, command, fails_to_import):
    fails_to_import("sounddevice", OSError("PortAudio library not found"))
    status, _, errors = command("play", "--model", model)
    assert status == 1
    assert "apt-get install libportaudio2" in errors


def test_a_sound_card_that_is_not_there_is_a_sentence(model, card, command):
    status, _, errors = command("play", "--model", model, "--device", "Scarlett")
    assert status == 1
    assert "--device Scarlett: no such one" in errors
    assert "--output FILE.wav" in errors


def test_a_slow_instrument_says_so(model, command, tmp_path, monkeypatch):
    monkeypatch.setattr(live_command, "_TRIED_SECONDS", 1e-9)
    words = ["--output", tmp_path / "a.wav", "--no-osc", "--seconds", 0.05]
    _, printed, _ = command("play", "--model", model, *words)
    assert "too slow to be played live" in printed


def test_messages_arrive_where_the_command_says(model, command, tmp_path, monkeypatch):
    """The port is the one that was asked for, on loopback alone."""
    port = free_port()
    words = ["--output", tmp_path / "a.wav", "--osc-port", port, "--seconds", 0.05]
    status, printed, errors = command("play", "--model", model, *words)
    assert status == 0, errors
    assert f"OSC on 127.0.0.1:{port}:" in printed

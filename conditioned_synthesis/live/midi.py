"""Knobs of a MIDI controller that move an instrument's sliders, and learning which does which."""

import os
from pathlib import Path
from typing import Any, NamedTuple

from conditioned_synthesis.live.packages import live_module
from conditioned_synthesis.live.voice import Voice
from texturelib.errors import TextureError, UsageError, first_line
from texturelib.files import read_json, shown, write_json
from texturelib.made import named_by_the_user

_HIGHEST = 127  # value of a knob, and number of a controller
_CHANNELS = 16


class Knob(NamedTuple):
    """A controller of a channel. channel: 1..16. control: 0..127."""

    channel: int
    control: int

    def __str__(self) -> str:
        return f"CC {self.control}" if self.channel == 1 else f"CC {self.control}/{self.channel}"


def usual_map_file() -> Path:
    """Return where knobs are kept unless the user names a file."""
    own = os.environ.get("XDG_CONFIG_HOME")
    return (Path(own) if own else Path.home() / ".config") / "texture-toolkit" / "midi.json"


class MidiMap:
    """Which knob moves the slider of which name, kept in a JSON file."""

    def __init__(self, path: Path) -> None:
        """Read the file, if it is there. Errors: TextureError when it is none of ours."""
        self._path = path
        self._knobs = _knobs_in(path) if path.exists() else {}

    def knob_of(self, name: str) -> Knob | None:
        return self._knobs.get(name)

    def sliders_of(self, knob: Knob) -> list[str]:
        return [name for name, own in self._knobs.items() if own == knob]

    def assign(self, name: str, knob: Knob) -> None:
        """Let a knob move the slider, and write the file."""
        self._knobs[name] = knob
        content = {
            name: {"channel": knob.channel, "control": knob.control}
            for name, knob in self._knobs.items()
        }
        with named_by_the_user():
            write_json(self._path, content)


def _knobs_in(path: Path) -> dict[str, Knob]:
    content = read_json(path)
    try:
        knobs = {name: Knob(each["channel"], each["control"]) for name, each in content.items()}
        if all(_is_there(knob) for knob in knobs.values()):
            return knobs
    except (AttributeError, KeyError, TypeError):
        pass
    raise TextureError(
        f'{shown(path)}: should name knobs as {{"SLIDER": {{"channel": 1..16, "control": 0..127}}}}'
    )


def _is_there(knob: Knob) -> bool:
    limits = ((knob.channel, 1, _CHANNELS), (knob.control, 0, _HIGHEST))
    return all(isinstance(number, int) and low <= number <= high for number, low, high in limits)


class MidiControl:
    """Moves sliders as knobs are moved.

    Attributes:
        learning: the slider that the next knob becomes that of, None where there is none.
        problem: a sentence where what was learnt could not be written, else "".
    """

    def __init__(self, voice: Voice, knobs: MidiMap) -> None:
        self._voice, self.knobs = voice, knobs
        self.learning: int | None = None
        self.problem = ""

    def receive(self, message: Any) -> None:
        """Take a message, as `mido` gives it. All but movements of knobs are ignored."""
        if message.type != "control_change":
            return
        knob = Knob(message.channel + 1, message.control)
        if self.learning is not None:
            index, self.learning = self.learning, None
            try:
                self.knobs.assign(self._voice.names[index], knob)
            except (OSError, TextureError) as error:
                self.problem = f"the knob is not kept: {first_line(error)}"
        for name in self.knobs.sliders_of(knob):
            if name in self._voice.names:
                index = self._voice.names.index(name)
                self._voice.set_share(index, message.value / _HIGHEST)


def open_midi(port: str, control: MidiControl) -> Any:
    """Open a MIDI port, whose messages go to `control`; return it, to be closed.

    port: a part of its name. Errors: UsageError where there is no such port, or a package is
    missing.
    """
    mido = live_module("mido")
    live_module("rtmidi")
    try:
        names = list(mido.get_input_names())
    except OSError as error:
        raise UsageError(f"--midi {port}: MIDI is not available ({first_line(error)})") from None
    found = next((name for name in names if port.lower() in name.lower()), None)
    if found is None:
        there = f"there are {', '.join(names)}" if names else "there is none at all"
        raise UsageError(f"--midi {port}: no such port; {there}")
    return mido.open_input(found, callback=control.receive)

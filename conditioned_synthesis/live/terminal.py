"""What the terminal shows of an instrument that is played, and the keys that move it."""

import math
import random
from collections.abc import Callable

from conditioned_synthesis.live.engine import Engine
from conditioned_synthesis.live.midi import MidiControl
from conditioned_synthesis.live.voice import SOFTEST_DB, Voice

_BAR = 24  # characters
_STEP = 0.02  # of a slider's range
_SILENT_DB = -90.0
KEYS_IN_WORDS = (
    "up/down choose   left/right move   +/- volume   s another sound   m learn a knob   q end"
)


class Terminal:
    """The chosen slider, what keys do, and what is shown."""

    def __init__(
        self,
        voice: Voice,
        engine: Engine,
        midi: MidiControl | None,
        note: Callable[[], str] = lambda: "",
    ) -> None:
        """note: gives a sentence for the last line."""
        self._voice, self._engine, self._midi, self._note = voice, engine, midi, note
        self._chosen = 0

    def press(self, key: str) -> bool:
        """Do what a key does; return whether to go on."""
        voice, n = self._voice, len(self._voice.names)
        match key:
            case "q":
                return False
            case "up" | "down" if n:
                self._chosen = (self._chosen + (1 if key == "down" else -1)) % n
            case "left" | "right" if n:
                share = voice.share(self._chosen) + (_STEP if key == "right" else -_STEP)
                voice.set_share(self._chosen, share)
            case "+" | "-":
                voice.set_volume(voice.volume_db + (1 if key == "+" else -1))
            case "s":
                voice.set_seed(random.randrange(2**32))
            case "m" if n and self._midi:
                is_learning = self._midi.learning == self._chosen
                self._midi.learning = None if is_learning else self._chosen
        return True

    def lines(self) -> list[str]:
        """Return what is shown: a line for each slider, and those about the sound."""
        voice, engine = self._voice, self._engine
        width = max((len(name) for name in voice.names), default=0)
        found = []
        for index, name in enumerate(voice.names):
            control = voice.controls[index]
            mark = ">" if index == self._chosen else " "
            value = f"{voice.physical(index):.4g} {control.unit}".strip()
            bar = _bar(voice.share(index))
            found.append(f"{mark} {name:<{width}} {bar} {value}{self._knob(index)}")
        level = 20 * math.log10(engine.level) if engine.level > 0 else _SILENT_DB
        volume = "silent" if voice.volume_db <= SOFTEST_DB else f"{voice.volume_db:+.0f} dB"
        found.append(
            f"  {'':<{width}} {_bar(1 + level / -_SILENT_DB)} {max(level, _SILENT_DB):.0f} dBFS   "
            f"volume {volume}   sound {voice.seed}   {glitches_in_words(engine)}"
        )
        return [*found, f"  {KEYS_IN_WORDS}", f"  {self._note()}"]

    def _knob(self, index: int) -> str:
        if self._midi is None:
            return ""
        if self._midi.learning == index:
            return "   move a knob"
        knob = self._midi.knobs.knob_of(self._voice.names[index])
        return f"   {knob}" if knob else ""


def glitches_in_words(engine: Engine) -> str:
    """Return how often the sound was interrupted, or was about to be.

    An underflow is heard; a block that is late is not, where others were ahead.
    """
    if not engine.glitches:
        return "no glitches"
    return f"{engine.glitches} glitches ({engine.underflows} heard, {engine.late} blocks late)"


def _bar(share: float) -> str:
    full = round(min(max(share, 0.0), 1.0) * _BAR)
    return "#" * full + "." * (_BAR - full)

"""Play a model folder live."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from conditioned_synthesis.instrument.instrument import Instrument, load_instrument
from conditioned_synthesis.live.engine import Engine, Renders
from conditioned_synthesis.live.file_stream import FileStream
from conditioned_synthesis.live.keys import keyboard, pressed_keys
from conditioned_synthesis.live.midi import MidiControl, MidiMap, open_midi, usual_map_file
from conditioned_synthesis.live.osc import OscServer, addresses_of
from conditioned_synthesis.live.packages import live_module
from conditioned_synthesis.live.resampled import Resampled
from conditioned_synthesis.live.sound_card import SoundCard, find_sound_card
from conditioned_synthesis.live.terminal import Terminal, glitches_in_words
from conditioned_synthesis.live.voice import Voice
from texturelib.errors import TextureError, UsageError
from texturelib.files import shown, whole_file
from texturelib.made import named_by_the_user
from texturelib.outputs import check_file_place

_LOOK_SECONDS = 0.05  # from one look at keys and counters to the next
_BLOCK_SECONDS = 0.022  # at most, of a block, where none is asked for
_TRIED_SECONDS = 0.5  # of sound, to know how fast it renders
_TIGHT = 1.5  # x real time; below, any other program may cause glitches


@dataclass(frozen=True)
class PlayRequest:
    """What is to be played, and how.

    output: a file in the place of a sound card. overwrite: it may replace one. seconds: None plays
    until it is stopped. block: samples that are rendered at a time, 0: some 20 ms. device: of the
    sound card. host, osc_port: where OSC is taken; port None: nowhere. midi: a part of a port's name.
    midi_map: where knobs are kept, None: in the user's own config folder.
    """

    output: Path | None = None
    overwrite: bool = False
    seconds: float | None = None
    block: int = 0
    seed: int = 0
    temperature: float = 1.0
    fast: bool = False
    level_db: float = 0.0
    device: str | None = None
    host: str = "127.0.0.1"
    osc_port: int | None = 9000
    midi: str | None = None
    midi_map: Path | None = None


def play(folder: Path, request: PlayRequest) -> None:
    """Play the model in `folder` until the time is over, or the user ends it by a key or with
    Ctrl-C.

    Errors: UsageError, TextureError.
    """
    if request.output:
        if request.output.suffix != ".wav":
            raise UsageError(f"--output {shown(request.output)}: should end in .wav")
        check_file_place(request.output, request.overwrite)
    instrument = load_instrument(folder)
    card = None if request.output else find_sound_card(request.device, instrument.spec.sample_rate)
    voice = _voice_of(instrument, request)
    with contextlib.ExitStack() as opened:
        midi = None
        server = None
        if request.osc_port is not None:
            server = OscServer(voice, request.host, request.osc_port)
            opened.callback(server.close)
        if request.midi is not None:
            midi = MidiControl(voice, MidiMap(request.midi_map or usual_map_file()))
            opened.callback(open_midi(request.midi, midi).close)
        _warn_if_slow(voice)
        is_resampled = card is not None and card.rate != voice.rate
        source: Renders = Resampled(voice, card.rate) if card and is_resampled else voice
        engine = Engine(source, request.block or usual_block(source.rate))
        _say_how_it_plays(folder, voice, engine, card, server)
        terminal = Terminal(
            voice,
            engine,
            midi,
            lambda: (midi.problem if midi else "") or (server.ignored if server else ""),
        )
        _play_until_the_end(engine, card, request, terminal)
    played = f"played {engine.n_played / engine.rate:.1f} s, {glitches_in_words(engine)}"
    print(f"{shown(request.output)}: {played}" if request.output else played)


def usual_block(rate: float) -> int:
    """Return the number of samples of a block that lasts some 20 ms: a power of 2.

    >>> usual_block(16000), usual_block(44100), usual_block(48000)
    (256, 512, 1024)
    """
    return 2 ** int(_BLOCK_SECONDS * rate).bit_length() // 2


def _voice_of(instrument: Instrument, request: PlayRequest) -> Voice:
    own: dict[str, Any] = {"temperature": request.temperature}
    if request.fast and instrument.takes("fast"):
        own["fast"] = True
    return Voice(instrument, request.seed, request.level_db, **own)


def _warn_if_slow(voice: Voice) -> None:
    voice.render(usual_block(voice.rate))  # the first block loads and compiles
    began = time.perf_counter()
    voice.render(round(_TRIED_SECONDS * voice.rate))
    factor = _TRIED_SECONDS / (time.perf_counter() - began)
    if factor < 1:
        print(
            f"note: this machine renders {factor:.2g} s of this instrument in a second: too slow to be played live; "
            "`generate` writes it to a file"
        )
    elif factor < _TIGHT:
        print(f"note: rendered at {factor:.2g} x real time, so other programs may cause glitches")


def _say_how_it_plays(
    folder: Path,
    voice: Voice,
    engine: Engine,
    card: SoundCard | None,
    server: OscServer | None,
) -> None:
    where = f"on {card.name}" if card else "to a file, in real time, without a sound card"
    rate = f"{engine.rate:g} Hz" + (
        f" (made at {voice.rate:g} Hz)" if engine.rate != voice.rate else ""
    )
    milliseconds = 1e3 * engine.latency_seconds
    print(
        f"{shown(folder)}: {where}, {rate}, blocks of {engine.block}, {milliseconds:.0f} ms ahead"
    )
    if server:
        host, port = server.place
        print(f"OSC on {host}:{port}:")
        for index, address in enumerate(addresses_of(voice.names)):
            control = voice.controls[index]
            ends = sorted(
                float(control.to_physical(place))
                for place in (voice.sliders[index].low, voice.sliders[index].high)
            )
            print(f"  {address} {ends[0]:.4g}..{ends[1]:.4g} {control.unit}, /slider/{index} 0..1")
        print("  /seed NUMBER, /level DECIBELS")


def _play_until_the_end(
    engine: Engine, card: SoundCard | None, request: PlayRequest, terminal: Terminal
) -> None:
    n_samples = None if request.seconds is None else round(request.seconds * engine.rate)
    with (
        _stream_of(engine, card, request, n_samples) as stream,
        contextlib.suppress(KeyboardInterrupt),
        _view(terminal) as show,
        keyboard() as has_keys,
    ):
        while not _is_over(engine, stream, n_samples):
            show()
            if not has_keys:
                time.sleep(_LOOK_SECONDS)
            elif not all(terminal.press(key) for key in pressed_keys(_LOOK_SECONDS)):
                break


def _is_over(engine: Engine, stream: Any, n_samples: int | None) -> bool:
    failure = engine.failure or getattr(stream, "failure", None)
    if failure:
        raise failure
    if isinstance(stream, FileStream):
        return stream.is_over
    if not stream.active:
        raise TextureError("play: the sound card has stopped")
    return n_samples is not None and engine.n_played >= n_samples


@contextlib.contextmanager
def _stream_of(
    engine: Engine, card: SoundCard | None, request: PlayRequest, n_samples: int | None
) -> Iterator[Any]:
    """Start the engine and its sound card, or the file in its place, for as long as the block
    runs."""
    with contextlib.ExitStack() as opened:
        if card:
            stream = card.stream(engine)
        else:
            assert request.output is not None
            opened.enter_context(named_by_the_user())
            part = opened.enter_context(whole_file(request.output, is_durable=True))
            rate, n_channels = round(engine.rate), engine.n_channels
            file = soundfile.SoundFile(part, "w", rate, n_channels, subtype="PCM_16")
            opened.enter_context(file)
            stream = FileStream(engine, file, n_samples)
        opened.callback(engine.stop)
        opened.callback(stream.close)
        engine.start()
        stream.start()
        yield stream


@contextlib.contextmanager
def _view(terminal: Terminal) -> Iterator[Callable[[], None]]:
    """Yield a function that shows the sliders anew; it does nothing where there is no terminal."""
    if not sys.stdout.isatty():
        yield lambda: None
        return
    console, text = live_module("rich.console").Console(), live_module("rich.text").Text
    with live_module("rich.live").Live(console=console, auto_refresh=False) as live:
        yield lambda: live.update(text("\n".join(terminal.lines())), refresh=True)

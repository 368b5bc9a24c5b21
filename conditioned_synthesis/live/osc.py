"""Messages over OSC that move an instrument's sliders."""

import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

from conditioned_synthesis.live.packages import live_module
from conditioned_synthesis.live.voice import Voice
from texturelib.errors import TextureError, first_line

_RESERVED = ("slider", "seed", "level")
_MOST_SEED = 2**32 - 1


def addresses_of(names: Sequence[str]) -> list[str]:
    """Return an address for each slider: its name, without what an address cannot have, with a
    number where two are alike.

    >>> addresses_of(["size", "drops/s", "drops s", "level"])
    ['/size', '/drops_s', '/drops_s_2', '/level_2']
    """
    taken = {f"/{word}" for word in _RESERVED}
    found: list[str] = []
    for name in names:
        plain = "/" + (re.sub(r"[^\w.+-]+", "_", name, flags=re.ASCII) or "_")
        address, number = plain, 2
        while address in taken:
            address, number = f"{plain}_{number}", number + 1
        taken.add(address)
        found.append(address)
    return found


class OscServer:
    """A server of OSC over UDP in a thread of its own.

    It takes `/NAME value` (in the slider's unit), `/slider/N position` (0..1, numbers from 0),
    `/seed number` and `/level decibels`.

    Attributes:
        place: (host, port) that it listens on.
        ignored: a sentence about the last message that it could not use, "" where there was none.
    """

    def __init__(self, voice: Voice, host: str, port: int) -> None:
        """Listen. host: only messages to this address of the machine are taken; port: 0 takes a
        free one.

        Errors: TextureError where the port is taken, UsageError where the package is missing.
        """
        server, dispatch = live_module("pythonosc.osc_server"), live_module("pythonosc.dispatcher")
        self._voice = voice
        self.ignored = ""
        dispatcher = dispatch.Dispatcher()
        dispatcher.set_default_handler(self._not_known)
        dispatcher.map("/seed", self._taker(self._seed))
        dispatcher.map("/level", self._taker(voice.set_volume))
        for index, address in enumerate(addresses_of(voice.names)):
            dispatcher.map(address, self._taker(self._of_slider(voice.set_physical, index)))
            dispatcher.map(f"/slider/{index}", self._taker(self._of_slider(voice.set, index)))
        try:
            self._server = server.BlockingOSCUDPServer((host, port), dispatcher)
        except OSError as error:
            raise TextureError(
                f"play: OSC cannot listen on {host}:{port} ({first_line(error)}); --osc-port names another port"
            ) from None
        self.place: tuple[str, int] = self._server.server_address[:2]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="osc", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @staticmethod
    def _of_slider(move: Callable[[int, float], None], index: int) -> Callable[[float], None]:
        return lambda value: move(index, value)

    def _taker(self, take: Callable[[float], None]) -> Callable[..., None]:
        """Return a handler that hands on the one number of a message."""

        def handler(address: str, *values: Any) -> None:
            try:
                [value] = values
                take(float(value))
            except (TypeError, ValueError, OverflowError):
                self.ignored = f"{address} {' '.join(map(str, values))}: it takes one number"

        return handler

    def _seed(self, value: float) -> None:
        if not (value.is_integer() and 0 <= value <= _MOST_SEED):
            raise ValueError(value)
        self._voice.set_seed(int(value))

    def _not_known(self, address: str, *_: Any) -> None:
        self.ignored = f"{address}: no such address"

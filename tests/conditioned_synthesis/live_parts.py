"""What tests of live playing share: a small instrument, and a sound card that the test turns."""

import threading
import time
from typing import Any

import numpy as np
import torch

from conditioned_synthesis.instrument.instrument import (
    Instrument,
    ModelSpec,
    Slider,
    new_instrument,
)
from conditioned_synthesis.live.engine import Engine
from conditioned_synthesis.synthesisers.texenv.settings import TexEnv
from texturelib.controls import Control

RATE = 16000
PATIENCE_SECONDS = 120  # the machine may be busy


def make_instrument() -> Instrument:
    """Return a `texenv` with two sliders."""
    controls = (
        Control("size", 0.5, 2.0, "x", "exponential"),
        Control("how dense", 1.0, 9.0, "layers/s"),
    )
    sliders = (
        Slider(
            control=controls[0].describe(), low=0.1, high=0.9, loudness=((0.0, -3.0), (1.0, 4.0))
        ),
        Slider(control=controls[1].describe(), low=0.0, high=1.0, curve=((0.0, 0.1), (1.0, 0.8))),
    )
    settings = TexEnv(n_bands=12, channels=16, n_layers=3)
    instrument = new_instrument(
        ModelSpec(synthesiser=settings, sliders=sliders, sample_rate=RATE), seed=3
    )
    with torch.no_grad():
        instrument.network.levels.weight.normal_(0.0, 0.5)  # type: ignore[union-attr,operator]
    return instrument


def until(condition: Any) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def block_of(engine: Engine, n_samples: int, n_channels: int = 1) -> np.ndarray:
    """Return what the engine gives a sound card that asks now, [n_samples, n_channels]."""
    out = np.full((n_samples, n_channels), np.nan, np.float32)
    engine.callback(out, n_samples, None, None)
    return out


class FakeSoundCard:
    """The module `sounddevice`, with one sound card, which asks for blocks as fast as they are
    rendered. fails_after: blocks after which it stops; None: it goes on."""

    class PortAudioError(Exception):
        pass

    def __init__(self, rates: tuple[int, ...] = (RATE,), fails_after: int | None = None) -> None:
        self._rates, self.fails_after = rates, fails_after
        self.heard: list[np.ndarray] = []

    def query_devices(self, device: object, _: str) -> dict[str, Any]:
        if device not in (None, 1):
            raise ValueError(f"No output device matching {device!r}")
        return {"name": "fake", "max_output_channels": 8, "default_samplerate": self._rates[0]}

    def check_output_settings(self, *, samplerate: float, **_: object) -> None:
        if samplerate not in self._rates:
            raise self.PortAudioError("Invalid sample rate")

    def OutputStream(self, **settings: Any) -> "FakeStream":  # noqa: N802 (as in sounddevice)
        return FakeStream(self, **settings)


class FakeStream:
    def __init__(self, card: FakeSoundCard, **settings: Any) -> None:
        self._card, self.settings = card, settings
        self._engine: Engine = settings["callback"].__self__
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.active = False

    def start(self) -> None:
        self.active = True
        self._thread.start()

    def close(self) -> None:
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        n_blocks, size = 0, self.settings["blocksize"]
        while not self._ends.is_set() and n_blocks != self._card.fails_after:
            if self._engine.n_ready >= size:
                out = np.empty((size, self.settings["channels"]), np.float32)
                self.settings["callback"](out, size, None, None)
                self._card.heard.append(out)
                n_blocks += 1
            else:
                time.sleep(0.001)
        self.active = False

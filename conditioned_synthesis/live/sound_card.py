"""The sound card that a voice is played on."""

from dataclasses import dataclass
from typing import Any

from conditioned_synthesis.live.engine import Engine
from conditioned_synthesis.live.packages import live_module
from texturelib.errors import TextureError, first_line

_MOST_CHANNELS = 2
_AHEAD = 2  # blocks that the sound card's driver holds


@dataclass(frozen=True)
class SoundCard:
    """A sound card, and how it is opened. rate: samples per second."""

    module: Any
    device: str | int | None
    name: str
    rate: float
    n_channels: int

    def stream(self, engine: Engine) -> Any:
        """Return a stream that calls the engine from when it is started on."""
        return self.module.OutputStream(
            samplerate=self.rate,
            blocksize=engine.block,
            device=self.device,
            channels=self.n_channels,
            dtype="float32",
            latency=_AHEAD * engine.block / engine.rate,
            callback=engine.callback,
        )


def find_sound_card(device: str | None, rate: float) -> SoundCard:
    """Return a sound card at this rate or, where it does not take that, at its own.

    device: its number, or a part of its name; None: the system's own choice. Errors: TextureError
    when there is none, UsageError where a package is missing.
    """
    try:
        module = live_module("sounddevice")
    except OSError as error:
        raise TextureError(
            f"play: PortAudio, which plays on sound cards, does not load ({first_line(error)}); "
            "Debian: apt-get install libportaudio2; or --output FILE.wav plays to a file in real time"
        ) from None
    wanted: str | int | None = int(device) if device and device.isdigit() else device
    try:
        found = module.query_devices(wanted, "output")
    except (module.PortAudioError, ValueError) as error:
        what = "no sound card is there" if device is None else f"--device {device}: no such one"
        raise TextureError(
            f"play: {what} ({first_line(error)}); --output FILE.wav plays to a file in real time"
        ) from None
    n_channels = min(_MOST_CHANNELS, found["max_output_channels"])
    try:
        module.check_output_settings(
            device=wanted, channels=n_channels, dtype="float32", samplerate=rate
        )
    except module.PortAudioError:
        rate = found["default_samplerate"]
    return SoundCard(module, wanted, found["name"], rate, n_channels)

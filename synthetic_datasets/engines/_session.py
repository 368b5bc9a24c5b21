"""The thesis's session with a patch over OSC: it is told a file's path and controls, records the sound, and replies.

Everything stays on this machine: both ports are on loopback, and the files go through a folder of our own.
"""

import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from synthetic_datasets.engines._ports import LOOPBACK, bound
from synthetic_datasets.level import FADER_STEPS
from texturelib.audio import read_clip
from texturelib.errors import Rejected, TextureError

SESSION_MESSAGES = frozenset(
    {
        "maxPDToPy_OSCPortNumber", "sampleRate", "bufferLength_ms",
        "clearBuffer", "filePath", "audioFileVolume", "seed", "startRecordAudioToBuffer",
    }
)  # fmt: skip
"""What the patch is sent besides its controls."""

_ENDED = "audioFileRecording_Ended"
_FAILED = "audioFileRecording_Error"
_LARGEST_SEED = 2**23  # Pure Data counts in 32-bit floats, which hold every whole number below 2^24
_LOOKS_PER_SECOND = 10  # at whether the patch still runs, while waiting for it
_SILENT_FILES_UNTIL_DOUBT = 3
_FOLDER = "texture-patch-"


class NoReplyError(TextureError):
    """The patch was asked as often as it may be, and said nothing."""


@dataclass(frozen=True)
class SessionSettings:
    """What does not change from clip to clip. sends_seed: whether the patch is told a number to draw its chance from."""

    sample_rate: int
    seconds: float
    leading_slash: bool
    sends_seed: bool
    reply_seconds: float
    resends: int


class OscSession:
    """One patch, played a file at a time. Use as a context.

    who: what a sentence calls it, such as "the patch". send_port: where it listens. receive_port: where it is told to
    reply; 0 takes any free one. look: called while waiting; raises when there is nobody left to wait for.
    """

    def __init__(
        self, who: str, send_port: int, receive_port: int, settings: SessionSettings, look: Callable[[], None] = lambda: None
    ) -> None:
        self._who = who
        self._settings = settings
        self._look = look
        self._n_played = self._n_good = 0
        self._has_sounded = False
        self._in = bound(receive_port)
        self.receive_port: int = self._in.getsockname()[1]
        # A connected socket hears when nobody listens at the other end.
        self._out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._out.connect((LOOPBACK, send_port))
        self._place = f"{LOOPBACK}:{send_port}"
        _remove_folders_of_the_dead()
        self._folder = tempfile.TemporaryDirectory(prefix=f"{_FOLDER}{os.getpid()}-")

    def __enter__(self) -> "OscSession":
        return self

    def __exit__(self, *_: object) -> None:
        self._in.close()
        self._out.close()
        self._folder.cleanup()

    def introduce(self) -> None:
        """Tell the patch what holds for every clip."""
        self._send("maxPDToPy_OSCPortNumber", self.receive_port)
        self._send("sampleRate", self._settings.sample_rate)
        self._send("bufferLength_ms", round(self._settings.seconds * 1000))

    def play(self, controls: Mapping[str, float], volume: float, rng: np.random.Generator) -> np.ndarray:
        """controls: the numbers to send, by name. volume: 0..1 of the fader -> [samples] float32.

        Errors: TextureError when the patch does not answer, or has not yet made one file that fits; Rejected when it
        did before, but this one does not.
        """
        self._n_played += 1
        for late in Path(self._folder.name).iterdir():
            late.unlink()  # the file of an attempt that was given up
        seed = int(rng.integers(_LARGEST_SEED))
        n_samples = round(self._settings.seconds * self._settings.sample_rate)
        reason, answer = "", None
        for attempt in range(self._settings.resends + 1):
            # A name of its own for each attempt: whatever lies there was written for it.
            path = Path(self._folder.name) / f"{self._n_played}_{attempt}.wav"
            if attempt or not self._n_good:
                self.introduce()
            self._ask_for(path, controls, volume, seed)
            answer = self._wait_for(path)
            if answer == _ENDED:
                try:
                    samples = read_clip(path, self._settings.sample_rate, n_samples)
                except Rejected as rejected:
                    reason = f"{self._who} at {self._place} wrote a file that {rejected}"
                else:
                    self._doubt_silence(samples)
                    return samples
        if answer == _FAILED:
            raise TextureError(
                f"{self._who} at {self._place} could not write its file into {self._folder.name}: is the disk full? What was "
                "finished is kept"
            )
        if not reason:
            raise NoReplyError(self._no_reply())
        raise Rejected(reason) if self._n_good else TextureError(reason)

    def wait_for_reply(self, address: str, seconds: float) -> bool:
        """-> whether a message to that address came in this time."""
        deadline = time.monotonic() + seconds
        while message := self._receive(deadline):
            if message.address.lstrip("/") == address:
                return True
        return False

    def _ask_for(self, path: Path, controls: Mapping[str, float], volume: float, seed: int) -> None:
        self._send("clearBuffer")
        self._send("filePath", str(path))
        for name, number in controls.items():
            self._send(name, float(number))
        self._send("audioFileVolume", FADER_STEPS * volume)
        if self._settings.sends_seed:
            self._send("seed", seed)
        self._send("startRecordAudioToBuffer")

    def _wait_for(self, path: Path) -> str | None:
        """-> what the patch replied of this file, None when it said nothing in time."""
        deadline = time.monotonic() + self._settings.seconds + self._settings.reply_seconds
        while message := self._receive(deadline):
            address = message.address.lstrip("/")
            # A reply that names another file belongs to an attempt that was given up. The thesis's patches name none.
            if message.params and message.params[0] != str(path):
                continue
            if address == _FAILED or (address == _ENDED and self._appears(path, deadline)):
                return address
        return None

    def _appears(self, path: Path, deadline: float) -> bool:
        """-> whether the file is there before the deadline: some patches reply while they still write."""
        while not path.exists() and time.monotonic() < deadline:
            self._look()
            time.sleep(0.01)
        return path.exists()

    def _receive(self, deadline: float) -> OscMessage | None:
        """-> the next message, None after the deadline. Raises what `look` raises."""
        while (left := deadline - time.monotonic()) > 0:
            self._look()
            self._in.settimeout(min(left, 1 / _LOOKS_PER_SECOND))
            try:
                datagram = self._in.recv(65536)
            except TimeoutError:
                continue
            if message := _parsed(datagram):
                return message
        return None

    def _send(self, address: str, *values: Any) -> None:
        message = OscMessageBuilder(f"/{address}" if self._settings.leading_slash else address)
        for value in values:
            message.add_arg(value)
        try:
            self._out.send(message.build().dgram)
        except ConnectionRefusedError:
            time.sleep(1 / _LOOKS_PER_SECOND)  # a program that ends lets go of its ports a little earlier
            self._look()
            raise TextureError(
                f"nobody listens at {self._place}: is {self._who} open, and is this the port that it receives on?"
            ) from None

    def _doubt_silence(self, samples: np.ndarray) -> None:
        self._n_good += 1
        self._has_sounded = self._has_sounded or bool(samples.any())
        if not self._has_sounded and self._n_good >= _SILENT_FILES_UNTIL_DOUBT:
            self._has_sounded = True  # said once
            print(
                f"note: {self._who} at {self._place} has written {self._n_good} files of nothing but zeros: is its sound on, "
                "and is a synthesiser connected to the receiver?",
                file=sys.stderr,
            )

    def _no_reply(self) -> str:
        asked = f", asked {self._settings.resends + 1} times" if self._settings.resends else ""
        return (
            f"no reply from {self._place} within {self._settings.reply_seconds:g} s{asked}: is {self._who} open, and does it "
            f"reply to port {self.receive_port}?"
        )


def _parsed(datagram: bytes) -> OscMessage | None:
    """-> None for what is no message. Any program on this machine may send to our port."""
    try:
        return OscMessage(datagram)
    except Exception:  # the parser has errors of several kinds, and checks little
        return None


def _remove_folders_of_the_dead() -> None:
    """Remove what sessions left behind whose process was killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*-*"):
        pid = folder.name.removeprefix(_FOLDER).split("-")[0]
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (ValueError, OverflowError, OSError):
            continue  # not ours to judge

"""The thesis's session with a patch: it is told a file's path and controls, records the sound, and
replies.

Everything stays on this machine, and the files go through a folder that no other user sees into.
"""

import reprlib
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from synthetic_datasets.level import FADER_STEPS
from texturelib.audio import read_clip
from texturelib.errors import Rejected, TextureError
from texturelib.files import printable
from texturelib.private_folder import private_folder

SESSION_MESSAGES = frozenset(
    {
        "maxPDToPy_OSCPortNumber", "sampleRate", "bufferLength_ms",
        "clearBuffer", "filePath", "audioFileVolume", "seed", "startRecordAudioToBuffer",
    }
)  # fmt: skip
"""Names of the messages that a patch is sent besides its controls."""

_ENDED = "audioFileRecording_Ended"
_FAILED = "audioFileRecording_Error"
_LARGEST_SEED = 2**23  # Pure Data counts in 32-bit floats, which hold every whole number below 2^24
_LOOKS_PER_SECOND = 10  # at whether the patch still runs, while waiting for it
_SILENT_FILES_UNTIL_DOUBT = 3
_FOLDER = "texture-patch-"
_STRAY_KEPT, _STRAY_SHOWN = 20, 3


class NoReplyError(TextureError):
    """The patch was asked as often as it may be, and said nothing."""


@dataclass(frozen=True)
class Message:
    """A message of the patch: a name, and values."""

    name: str
    values: tuple[Any, ...] = ()

    def __str__(self) -> str:
        # Arrays in OSC may lie in one another deeper than Python's repr goes.
        words = (value if isinstance(value, str) else reprlib.repr(value) for value in self.values)
        return printable(" ".join([self.name, *words])[:200])


@dataclass(frozen=True)
class Unread:
    """A packet that is no message."""

    content: bytes

    def __str__(self) -> str:
        return f"{len(self.content)} bytes that are no OSC message ({self.content[:20]!r})"


class Channel(Protocol):
    """A way to a patch and back. place: what a sentence calls it. reply_place: where replies should
    come to."""

    place: str
    reply_place: str

    def introduce(self) -> None:
        """Tell the patch where to reply, unless it knows."""
        ...

    def send(self, name: str, *values: str | float) -> None:
        """Send a message. Errors: ConnectionError when nobody is there."""
        ...

    def receive(self, seconds: float) -> list[Message | Unread]:
        """Return what came together; nothing when nothing came for `seconds`."""
        ...


@dataclass(frozen=True)
class SessionSettings:
    """Settings of a session, the same for every clip. sends_seed: whether the patch is told a
    number to draw its chance from."""

    sample_rate: int
    seconds: float
    sends_seed: bool
    reply_seconds: float
    resends: int


class Session:
    """One patch, played a file at a time. Use as a context.

    who: what a sentence calls it, such as "the patch". look: called while waiting; raises when
    there is nobody left to wait for.
    """

    def __init__(
        self,
        who: str,
        channel: Channel,
        settings: SessionSettings,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        self._who = who
        self._channel = channel
        self._settings = settings
        self._look = look
        self._n_played = self._n_good = 0
        self._has_sounded = False
        self._names_its_file = False
        self._stray: list[str] = []
        self._open = ExitStack()

    def __enter__(self) -> "Session":
        self.folder = self._open.enter_context(private_folder(_FOLDER))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def introduce(self) -> None:
        """Tell the patch what holds for every clip."""
        self._channel.introduce()
        self._send("sampleRate", self._settings.sample_rate)
        self._send("bufferLength_ms", round(self._settings.seconds * 1000))

    def play(
        self, controls: Mapping[str, float], volume: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Play one clip and return it, [samples] float32. controls: the numbers to send, by name.
        volume: 0..1 of the fader.

        Errors: TextureError when the patch does not answer, or has not yet made one file that fits;
        Rejected when it did before, but this one does not.
        """
        self._n_played += 1
        self._stray.clear()
        for late in self.folder.glob("*.wav"):
            late.unlink()  # the file of an attempt that was given up
        seed = int(rng.integers(_LARGEST_SEED))
        n_samples = round(self._settings.seconds * self._settings.sample_rate)
        reason, answer = "", None
        for attempt in range(self._settings.resends + 1):
            # A name of its own for each attempt: whatever lies there was written for it. And one
            # that nobody guesses: a reply that names it comes from who was asked.
            path = self.folder / f"{self._n_played}_{attempt}_{secrets.token_hex(8)}.wav"
            if attempt or not self._n_good:
                self.introduce()
            self._ask_for(path, controls, volume, seed)
            answer = self._wait_for(path)
            if answer == _ENDED:
                try:
                    samples = read_clip(path, self._settings.sample_rate, n_samples)
                except Rejected as rejected:
                    reason = f"{self._who} at {self._channel.place} wrote a file that {rejected}"
                else:
                    self._doubt_silence(samples)
                    return samples
        if answer == _FAILED:
            raise TextureError(
                f"{self._who} at {self._channel.place} could not write its file into {self.folder}: is the disk full? What was "
                "finished is kept"
            )
        if not reason:
            raise NoReplyError(self._no_reply())
        raise Rejected(reason) if self._n_good else TextureError(reason)

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
        """Return what the patch replied of this file, None when it said nothing in time."""
        deadline = time.monotonic() + self._settings.seconds + self._settings.reply_seconds
        for message in self._until(deadline):
            if not isinstance(message, Message) or message.name not in (_ENDED, _FAILED):
                self._did_not_help(str(message))
            elif message.values[:1] != (str(path),) and (message.values or self._names_its_file):
                # Of an attempt that was given up, or from somebody else. The thesis's patches name
                # no file; others always do.
                self._did_not_help(
                    f"{message} (of another file)" if message.values else f"{message} (of no file)"
                )
            elif message.name == _ENDED and not self._appears(path, deadline):
                self._did_not_help(f"{message} (but there is no such file)")
            else:
                self._names_its_file = bool(message.values)
                return message.name
        return None

    def _did_not_help(self, what: str) -> None:
        if what not in self._stray and len(self._stray) < _STRAY_KEPT:
            self._stray.append(what)

    def _until(self, deadline: float) -> Iterator[Message | Unread]:
        """Return what comes before the deadline. Raises what `look` raises."""
        while (left := deadline - time.monotonic()) > 0:
            self._look()
            yield from self._channel.receive(min(left, 1 / _LOOKS_PER_SECOND))

    def _appears(self, path: Path, deadline: float) -> bool:
        """Return whether the file is there before the deadline: some patches reply while they still
        write."""
        while not path.exists() and time.monotonic() < deadline:
            self._look()
            time.sleep(0.01)
        return path.exists()

    def _send(self, name: str, *values: str | float) -> None:
        try:
            self._channel.send(name, *values)
        except ConnectionError:
            # A program that ends lets go of its connections a little earlier.
            time.sleep(1 / _LOOKS_PER_SECOND)
            self._look()
            raise TextureError(
                f"nobody listens at {self._channel.place}: is {self._who} open, and is this the port that it receives on?"
            ) from None

    def _doubt_silence(self, samples: np.ndarray) -> None:
        self._n_good += 1
        self._has_sounded = self._has_sounded or bool(samples.any())
        if not self._has_sounded and self._n_good >= _SILENT_FILES_UNTIL_DOUBT:
            self._has_sounded = True  # said once
            print(
                f"note: {self._who} at {self._channel.place} has written {self._n_good} files of nothing but zeros: is its sound "
                "on, and is a synthesiser connected to the receiver?",
                file=sys.stderr,
            )

    def _no_reply(self) -> str:
        asked = f", asked {self._settings.resends + 1} times" if self._settings.resends else ""
        none = f"no reply from {self._channel.place} within {self._settings.reply_seconds:g} s{asked}: "
        if not self._stray:
            return f"{none}is {self._who} open, and does it reply to {self._channel.reply_place}?"
        more = (
            f" and {len(self._stray) - _STRAY_SHOWN} more"
            if len(self._stray) > _STRAY_SHOWN
            else ""
        )
        came = f"{self._channel.reply_place} is no reply: {', '.join(self._stray[:_STRAY_SHOWN])}{more}"
        return f"{none}what came to {came}; {self._who} should send /{_ENDED} and the path"

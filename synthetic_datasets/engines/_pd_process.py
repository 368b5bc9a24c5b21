"""A Pure Data of our own, without a window, faster than real time; started, watched, stopped."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import numpy as np

from synthetic_datasets.engines._pd_channel import PdChannel
from synthetic_datasets.engines._session import NoReplyError, Session, SessionSettings
from texturelib.errors import Rejected, TextureError
from texturelib.files import printable, shown

PATCHES = Path(__file__).parents[1] / "patches"
"""The patches that come with the toolkit; any patch finds [dataset_receiver] there."""

# Where there was no good one before: it is the patch, and not the controls.
_SPOILT_CLIPS_UNTIL_END = 3

_PROGRAMS = ("puredata", "pd")

# The kernel ends Pd when the thread that started it ends, even by kill -9. That is asked for in a
# process of its own, between fork and Pd. The main thread starts the first ones; one that dies is
# started again by the thread that plays it.
_LAUNCHER = """
import ctypes, os, signal, sys
try:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
except (AttributeError, OSError):
    pass  # not Linux: then only an orderly end stops Pd
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


def find_program() -> str:
    """Return the path of the program. Errors: TextureError when there is no Pure Data here."""
    for program in _PROGRAMS:
        if path := shutil.which(program):
            return path
    raise TextureError(
        f"Pure Data is not installed (no {' or '.join(_PROGRAMS)} on the PATH): on Debian and Ubuntu, apt-get install "
        "puredata-core; elsewhere, see puredata.info/downloads"
    )


def version_of(program: str) -> str:
    """Return the version of Pure Data, such as "0.53.1"."""
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r"Pd-(\S+)", said.stderr + said.stdout)
    return found.group(1) if found else "unknown"


# As Pd reports an error of an object, or that its file has a cord that leads nowhere. What it tells
# besides, and what a patch prints, is no error.
_ERROR = re.compile(r"(?:error: )?(?P<what>(?<=error: ).+|.*\(.*->.*\) connection failed)")


class _Died(Exception):  # noqa: N818 (it ends here, as a sentence or a restart)
    pass


class PdPlayer:
    """One Pure Data with `patch` open. Use as a context. When it dies it is started again, once.

    allowed_errors: parts of what Pure Data may report as an error.
    """

    def __init__(
        self,
        patch: Path,
        settings: SessionSettings,
        start_seconds: float,
        allowed_errors: Sequence[str] = (),
    ) -> None:
        self._program = find_program()
        self._patch = patch
        self._settings = settings
        self._start_seconds = start_seconds
        self._allowed_errors = allowed_errors
        self._has_played, self._n_spoilt = False, 0
        self._has_restarted = False
        self._is_closed = False
        self._starting_or_closing = threading.Lock()
        self._running = ExitStack()

    def __enter__(self) -> "PdPlayer":
        try:
            self._start()
        except BaseException as error:
            self._running.close()
            if isinstance(error, _Died):
                raise TextureError(f"{shown(self._patch)}: {error}") from None
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # On a Ctrl-C a thread may still play; it must not take our end for Pd's, and start another.
        with self._starting_or_closing:
            self._is_closed = True
            self._running.close()

    def play(
        self, controls: Mapping[str, float], volume: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Play a file, as `Session.play` does. Errors: TextureError when Pd dies for the second
        time, or reports an error at each of its first clips; Rejected when it reports one."""
        chance = rng.bit_generator.state
        try:
            return self._play(controls, volume, rng)
        except _Died as died:
            self._restart(died)
        rng.bit_generator.state = chance
        try:
            return self._play(controls, volume, rng)
        except _Died as died:
            raise self._given_up(died) from None

    def _play(
        self, controls: Mapping[str, float], volume: float, rng: np.random.Generator
    ) -> np.ndarray:
        try:
            samples = self._session.play(controls, volume, rng)
        except NoReplyError:
            seconds = f"{self._settings.reply_seconds:g} s beyond the clip's length"
            raise _Died(
                f"Pure Data (process {self._process.pid}) said nothing for {seconds} (reply_seconds)"
            ) from None
        if errors := self._new_errors():
            self._n_spoilt += 1
            if not self._has_played and self._n_spoilt >= _SPOILT_CLIPS_UNTIL_END:
                raise TextureError(f"{shown(self._patch)}: {_sentence(errors)}")
            raise Rejected(_sentence(errors))
        self._has_played = True
        return samples

    def _restart(self, died: _Died) -> None:
        with self._starting_or_closing:
            if self._has_restarted or self._is_closed:
                raise self._given_up(died) from None
            self._has_restarted = True
            print(f"note: {shown(self._patch)}: {died}; it is started once more", file=sys.stderr)
            self._running.close()
            try:
                self._start()
            except _Died as again:
                raise self._given_up(again) from None

    def _given_up(self, died: _Died) -> TextureError:
        return TextureError(
            f"{shown(self._patch)}: {died}, for the second time; what was finished is kept"
        )

    def _start(self) -> None:
        self._console = self._running.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (it is one)
        self._heard = 0
        channel = self._running.enter_context(PdChannel())
        self._session = self._running.enter_context(
            Session("Pure Data", channel, self._settings, self._look)
        )
        if not str(self._session.folder).isprintable():
            raise TextureError(
                f"{printable(str(self._session.folder.parent))}: the folder for temporary files has a line's end or the like in "
                "its name, which Pure Data cannot be told; set TMPDIR to another"
            )
        introduction = self._session.folder / "introduction.pd"
        channel.write_introduction(introduction)
        self._process = self._launch(introduction)
        self._running.callback(self._stop)
        if not channel.connect(self._start_seconds, self._look):
            raise _Died(
                f"it did not say that it is ready within {self._start_seconds:g} s (start_seconds): does it hold a "
                f"[dataset_receiver]?{self._older_receiver()}{self._last_words()}"
            )
        if unknown := self._unknown_objects():
            raise TextureError(
                f"{shown(self._patch)}: Pure Data does not know {', '.join(f'[{name}]' for name in unknown)}: without that the "
                "patch would sound otherwise; put the missing abstraction beside it, or use objects of Pd vanilla"
            )
        if errors := self._new_errors():
            raise TextureError(f"{shown(self._patch)}: {_sentence(errors)}")
        self._session.introduce()

    def _launch(self, introduction: Path) -> "subprocess.Popen[bytes]":
        rate = str(self._settings.sample_rate)
        return subprocess.Popen(
            [
                sys.executable, "-S", "-E", "-c", _LAUNCHER, str(os.getpid()), self._program,
                "-nogui", "-noaudio", "-nomidi", "-noprefs", "-nrt", "-stderr", "-r", rate, "-sleepgrain", "0.1",
                "-path", str(PATCHES), "-open", str(self._patch), "-open", str(introduction),
            ],
            stdin=subprocess.DEVNULL,
            stdout=self._console,
            stderr=self._console,
            start_new_session=True,  # a Ctrl-C at the terminal is for us alone; we stop Pd then
        )  # fmt: skip

    def _stop(self) -> None:
        self._process.kill()  # it has nothing to save
        self._process.wait()

    def _look(self) -> None:
        status = self._process.poll()
        if status is not None:
            how = (
                f"was killed by {signal.Signals(-status).name}"
                if status < 0
                else f"ended with status {status}"
            )
            raise _Died(f"Pure Data (process {self._process.pid}) {how}{self._last_words()}")

    def _said(self, since: int = 0) -> bytes:
        """Return what Pd has written to its console. Read with pread: it writes where the file that
        we share stands."""
        said = b""
        while block := os.pread(self._console.fileno(), 2**16, since + len(said)):
            said += block
        return said

    def _lines(self) -> list[str]:
        return self._said().decode(errors="replace").splitlines()

    def _new_errors(self) -> list[str]:
        """Return what Pd has reported since it was last asked, but for what is allowed."""
        said = self._said(self._heard)
        said = said[: said.rfind(b"\n") + 1]
        self._heard += len(said)
        errors = [
            match["what"]
            for line in said.decode(errors="replace").splitlines()
            if (match := _ERROR.fullmatch(line))
        ]
        return [
            error
            for error in dict.fromkeys(errors)
            if not any(part in error for part in self._allowed_errors)
        ]

    def _unknown_objects(self) -> list[str]:
        """Return the objects of the patch that could not be made; Pd says so in the line after each
        one's name."""
        lines = self._lines()
        return [
            re.sub(r"^verbose\(\d+\): ", "", name)
            for name, after in pairwise(lines)
            if "couldn't create" in after
        ]

    def _older_receiver(self) -> str:
        beside = self._patch.with_name("dataset_receiver.pd")
        if not beside.is_file() or "dataset_session" in beside.read_text(errors="replace"):
            return ""
        return f" {shown(beside)} is of an earlier version: remove it, Pure Data finds the one that comes with the toolkit."

    def _last_words(self) -> str:
        errors = [line for line in self._lines() if "error" in line]
        return f' (the last that it said: "{errors[-1].strip()}")' if errors else ""


def _sentence(errors: Sequence[str]) -> str:
    more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
    return (
        f'Pure Data reports "{printable(errors[0].strip())}"{more}, so the sound would not be what is meant. Mend the patch, or '
        "name a part of what does no harm in allowed_errors"
    )

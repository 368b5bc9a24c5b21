"""A real browser without a window, driven through the Chrome DevTools protocol over a pipe."""

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium")

_PATIENCE_SECONDS = 120  # for one answer; the machine may be busy
_KEY_CODES = {"Tab": 9, "Enter": 13, " ": 32, "ArrowLeft": 37, "ArrowRight": 39}


class Page:
    """One page of the browser. requests: what it asked the network for, but for itself."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, read
        self._number = 0
        self._waiting = b""
        self._session: str | None = None
        self.requests: list[str] = []
        self.errors: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Network", "Runtime"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def open(self, path: Path) -> None:
        self.send("Page.navigate", url=path.as_uri())
        self.until("document.readyState == 'complete'")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression, or of the promise that it is; as if the user had just
        clicked, which sound needs."""
        answer = self.send(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, condition: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self.evaluate(condition):
            assert time.monotonic() < deadline, f"never: {condition}"
            time.sleep(0.05)

    def press(self, key: str, code: str = "", text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            words: dict[str, Any] = {"type": kind, "key": key, "code": code or key}
            if key in _KEY_CODES:  # without it the browser itself does not act on the key
                words["windowsVirtualKeyCode"] = _KEY_CODES[key]
            if text and kind == "keyDown":
                words["text"] = text
            self.send("Input.dispatchKeyEvent", **words)

    def screenshot(self, width: int, height: int) -> bytes:
        """Return a PNG in base64."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        return self.send("Page.captureScreenshot", captureBeyondViewport=True)["data"].encode()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._waiting:
            ready, _, _ = select.select([self._read], [], [], _PATIENCE_SECONDS)
            assert ready, "the browser does not answer"
            part = os.read(self._read, 1 << 20)
            assert part, "the browser has ended"
            self._waiting += part
        content, _, self._waiting = self._waiting.partition(b"\0")
        message = json.loads(content)
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(message["params"]["exceptionDetails"])[:2000])
        return message


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Start the browser. folder: for what it writes."""
    to_browser, ours_to_write = os.pipe()
    ours_to_read, from_browser = os.pipe()

    def as_three_and_four() -> None:
        os.dup2(to_browser, 3)
        os.dup2(from_browser, 4)

    assert PROGRAM
    words = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--mute-audio",
        "--autoplay-policy=no-user-gesture-required",
        f"--user-data-dir={folder / 'profile'}",
        "--remote-debugging-pipe",
    ]
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            [PROGRAM, *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=as_three_and_four,
            pass_fds=(3, 4),
        )
    try:
        os.close(to_browser)
        os.close(from_browser)
        yield Page(ours_to_write, ours_to_read)
    finally:
        process.kill()
        process.wait()
        os.close(ours_to_write)
        os.close(ours_to_read)

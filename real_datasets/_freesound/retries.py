"""When to wait, when to try again, and when to stop."""

import re
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Annotated, TypeVar

from pydantic import Field
from tqdm import tqdm

from texturelib.config import Config
from texturelib.errors import TextureError

Result = TypeVar("Result")

KEPT = "what has been fetched is kept, and the same command goes on from there"
_LONGEST_WAIT = 900  # seconds; who is told to wait longer would rather come again


class Connection(Config):
    """Settings of requests: tries, waits and timeouts. The results do not depend on them."""

    tries: Annotated[int, Field(ge=1, le=20)] = 5
    """Number of tries before a request counts as failed."""
    wait_seconds: Annotated[float, Field(ge=0, le=600)] = 5.0
    """Wait after the first failed try, in seconds, doubled after each further one; 5 s and 5 tries
    outlast a limit per minute."""
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    """Longest wait for a connection, and for each further part of a reply, in seconds."""


class Refused(Exception):  # noqa: N818 (an outcome, not an error)
    """The server answered, and trying again would bring the same. status: of HTTP, 0 where it is
    not what is wrong."""

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.status = status


class Failed(Exception):  # noqa: N818 (an outcome, not an error)
    """The server answered and something went wrong, at every try."""


class Again(Exception):  # noqa: N818 (an outcome, not an error)
    """This try failed, the next may not. seconds: how long the server asks to wait. ends_all: it
    would befall any request."""

    def __init__(self, why: str, *, seconds: float | None = None, ends_all: bool = False) -> None:
        super().__init__(why)
        self.seconds = seconds
        self.ends_all = ends_all


def tried(attempt: Callable[[], Result], connection: Connection) -> Result:
    """Return the result of the first try that does not fail. Errors: Failed after the last try,
    TextureError where all further requests would fail too."""
    for n in range(connection.tries):
        try:
            return attempt()
        except Again as trouble:
            if n + 1 < connection.tries:
                _wait(
                    connection.wait_seconds * 2**n if trouble.seconds is None else trouble.seconds,
                    str(trouble),
                )
            elif trouble.ends_all:
                raise TextureError(f"{trouble}, at {connection.tries} tries; {KEPT}") from None
            else:
                raise Failed(f"{trouble}, at {connection.tries} tries") from None
    raise AssertionError("there is at least one try")


def of_limit(host: str, detail: str, retry_after: str | None) -> Again:
    """Return what to do after status 429 (too many requests).

    Freesound sends no Retry-After, but its text names the limit: "(60/minute)", "(2000/day)".

    Errors: TextureError where waiting for it would take too long.
    """
    said = f" ({detail})" if detail else ""
    seconds = seconds_of(retry_after)
    if "suspended" in detail:
        raise TextureError(f"{host} has suspended this key{said}; {KEPT}")
    if re.search(r"/\s*d(ay)?\b|\bdaily\b|\bper day\b", detail) or (seconds or 0) > _LONGEST_WAIT:
        later = "tomorrow" if seconds is None else f"in {seconds / 3600:.1f} hours"
        raise TextureError(
            f"{host} takes no more requests for now{said}: run it again {later}; {KEPT}"
        )
    return Again(
        f"{host} takes no more requests for the moment{said}", seconds=seconds, ends_all=True
    )


def seconds_of(retry_after: str | None) -> float | None:
    """Return the seconds to wait according to a `Retry-After` of either kind, None if there is
    none.

    >>> seconds_of("90"), seconds_of("Wed, 21 Oct 2015 07:28:00 GMT"), seconds_of("soon")
    (90.0, 0.0, None)
    """
    text = (retry_after or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
        date = date if date.tzinfo else date.replace(tzinfo=timezone.utc)
        return max(0.0, (date - datetime.now(timezone.utc)).total_seconds())
    # TypeError in Python 3.10; no such year.
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _wait(seconds: float, why: str) -> None:
    if seconds >= 2:
        # Beside a progress bar, not through it.
        tqdm.write(f"{why}: waiting {seconds:.0f} s", file=sys.stderr)
    time.sleep(seconds)

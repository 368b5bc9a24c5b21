"""One file: a transfer that was cut goes on where it was, if the server can do that, and is checked
at its end."""

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from real_datasets._freesound.retries import Again, Refused

if TYPE_CHECKING:
    import requests


class Download:
    """A partly downloaded file, in `part`. size, md5: expected values, 0 and "" if unknown."""

    def __init__(self, part: Path, max_bytes: int, size: int = 0, md5: str = "") -> None:
        self._part = part
        self._max_bytes = max_bytes
        self._size = size
        self._md5 = md5
        # What the server calls the bytes that we have, so that two versions are never mixed.
        self._version = ""

    def headers(self) -> dict[str, str]:
        """Return the headers of the next request: for the whole file, or for what is missing."""
        plain = {"Accept-Encoding": "identity"}  # so that lengths are those of the file
        return (
            plain | {"Range": f"bytes={self._n_bytes}-", "If-Range": self._version}
            if self._n_bytes and self._version
            else plain
        )

    def take(self, reply: "requests.Response") -> None:
        """Write the reply to the file. Errors: Again where it is not whole afterwards, Refused
        where it never will be."""
        start = 0
        if reply.status_code == 206:
            start = self._n_bytes
            if not re.match(rf"bytes {start}-", reply.headers.get("Content-Range", "")):
                self._part.unlink(missing_ok=True)
                raise Again("the server sent another part of the file than it was asked for")
        if reply.headers.get("Content-Type", "").startswith("text/"):
            raise Refused("a web page came instead of a sound")
        # Packed although we asked for it plain: then lengths and positions are not those of the
        # file.
        is_packed = reply.headers.get("Content-Encoding", "identity") != "identity"
        length = "" if is_packed else reply.headers.get("Content-Length", "")
        total = start + int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None
        self._check_size(total or 0)
        self._version = "" if is_packed else _version(reply)
        with self._part.open("ab" if start else "wb") as file:
            for block in reply.iter_content(2**16):
                file.write(block)
                self._check_size(file.tell())
        if total is not None and self._n_bytes < total:  # urllib3 1.26 keeps quiet about it
            raise Again(f"only {self._n_bytes} of {total} bytes came")
        self._check_whole()

    @property
    def _n_bytes(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _check_size(self, n_bytes: int) -> None:
        if n_bytes > self._max_bytes:
            raise Refused(f"is larger than max_megabytes = {self._max_bytes / 1e6:g} allows")

    def _check_whole(self) -> None:
        wrong = ""
        if not self._n_bytes:
            wrong = "an empty file came"
        elif self._size and self._n_bytes != self._size:
            wrong = f"{self._n_bytes} bytes came, of a file that has {self._size}"
        elif self._md5 and _md5_of(self._part) != self._md5:
            wrong = "other bytes came than were uploaded (the MD5 sum differs)"
        if wrong:
            self._part.unlink()  # nothing to go on from
            raise Again(wrong)


def _version(reply: "requests.Response") -> str:
    """Return the strong ETag, else the date, else ""; a weak ETag does not say that the bytes are
    the same."""
    tag = reply.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else reply.headers.get("Last-Modified", "")


def _md5_of(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)  # the sum that Freesound publishes
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()

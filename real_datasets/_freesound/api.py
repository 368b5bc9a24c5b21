"""The requests: one page of a search, one sound file. Each comes back whole, or as a reason why
not."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests import exceptions

from real_datasets._freesound.download import Download
from real_datasets._freesound.keys import (
    Key,
    download_key,
    is_loopback,
    search_key,
    without_secrets,
)
from real_datasets._freesound.retries import (
    Again,
    Connection,
    Failed,
    Refused,
    of_limit,
    seconds_of,
    tried,
)
from texturelib.errors import TextureError
from texturelib.files import whole_file

PAGE_SIZE = 150  # the API's largest
_LARGEST_REPLY = 2**25  # bytes; a page of 150 sounds has some 200 kB


class Api:
    """One session with the API at `base_url`; keys are looked for when a request needs them."""

    def __init__(self, base_url: str, connection: Connection) -> None:
        self._base_url = base_url
        self._connection = connection
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "texture-toolkit"
        self._session.max_redirects = 5
        # A proxy of the environment's would see a key that is meant for this machine alone.
        self._session.trust_env = not is_loopback(base_url)

    def page(self, parameters: Mapping[str, str], number: int) -> dict[str, Any]:
        """Return the reply to a search, as documented at
        https://freesound.org/docs/api/resources_apiv2.html#search.

        Errors: Refused (status 404 after the last page), TextureError.
        """
        url = f"{self._base_url}/search/"
        asked = {**parameters, "page": str(number), "page_size": str(PAGE_SIZE)}
        try:
            return tried(lambda: self._json(url, asked), self._connection)
        except Failed as failed:
            raise TextureError(
                f"the search failed: {failed}; it goes on from there when run again"
            ) from None

    def original(self, sound_id: int, path: Path, *, size: int, md5: str, max_bytes: int) -> None:
        """Write the file as it was uploaded, whole or not at all. Errors: Refused, Failed,
        TextureError."""
        self._download(
            f"{self._base_url}/sounds/{sound_id}/download/",
            path,
            max_bytes,
            download_key(),
            size,
            md5,
        )

    def preview(self, url: str, path: Path, *, max_bytes: int) -> None:
        """Write a preview, whole or not at all; no key goes there, since anybody may have it.
        Errors: as `original`."""
        if not url.startswith("https://") and not (
            is_loopback(url) and is_loopback(self._base_url)
        ):
            raise Refused("its preview has no https address")
        self._download(url, path, max_bytes, None)

    def _download(
        self, url: str, path: Path, max_bytes: int, key: Key | None, size: int = 0, md5: str = ""
    ) -> None:
        with whole_file(path, is_durable=True) as part:
            download = Download(part, max_bytes, size, md5)

            def attempt() -> None:
                with self._reply(url, key, headers=download.headers()) as reply:
                    download.take(reply)

            tried(attempt, self._connection)

    def _json(self, url: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        with self._reply(url, search_key(), parameters) as reply:
            content = _read(reply, _LARGEST_REPLY)
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            # Networks in hotels answer everything with a page of their own.
            raise TextureError(
                f"{_host(url)} answered with something else than JSON; is this network open to the internet?"
            )
        return answer

    @contextmanager
    def _reply(
        self,
        url: str,
        key: Key | None,
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[requests.Response]:
        """Return the reply with a good status, its body still to be read. Errors: Again, Refused,
        TextureError."""
        host, has_answered = _host(url), False
        timeout = self._connection.timeout_seconds
        try:
            # Without a key an empty signature: with none, requests would look into ~/.netrc.
            with self._session.get(
                url,
                params=parameters,
                headers=headers,
                auth=key or (lambda request: request),
                stream=True,
                timeout=timeout,
            ) as reply:
                has_answered = True
                host = _host(reply.url)
                if reply.status_code >= 400:
                    _complain(host, reply, key)
                yield reply
        except exceptions.SSLError:
            raise TextureError(
                f"{host} cannot prove that it is {host} (its certificate is not trusted)"
            ) from None
        except (exceptions.ConnectionError, exceptions.Timeout) as error:
            if has_answered:
                raise Again(f"{host} stopped in the middle of its reply") from None
            why = (
                "does not answer" if isinstance(error, exceptions.Timeout) else "cannot be reached"
            )
            raise Again(f"{host} {why}", ends_all=True) from None
        except (exceptions.ChunkedEncodingError, exceptions.ContentDecodingError):
            raise Again(f"{host} stopped in the middle of its reply") from None
        # Redirects in circles or to no web address.
        except (exceptions.RequestException, ValueError) as error:
            if has_answered and not isinstance(error, exceptions.RequestException):
                raise  # of whoever reads the reply
            raise Refused(f"{host} led nowhere ({type(error).__name__})") from None


def _complain(host: str, reply: requests.Response, key: Key | None) -> None:
    """Raise the error that a reply with a bad status means. Errors: Again, Refused, TextureError; always one
    of them."""
    status, detail = reply.status_code, _detail(reply)
    said = f": {detail}" if detail else ""
    if status == 429:
        raise of_limit(host, detail, reply.headers.get("Retry-After"))
    if status >= 500 or status == 408:
        raise Again(
            f"{host} answered {status}{said}",
            seconds=_short(seconds_of(reply.headers.get("Retry-After"))),
        )
    if status == 401 and key and "Authorization" in reply.request.headers:
        raise TextureError(
            f"{host} does not accept the key in {key.variable}; is it whole, and not too old? "
            "(https://freesound.org/apiv2/apply lists your keys; an OAuth2 token lasts for 24 hours)"
        )
    if status == 404:
        raise Refused(f"{host} does not have it (any more)", status)
    raise Refused(f"{host} answered {status}{said}", status)


def _short(seconds: float | None) -> float | None:
    # Of a server in trouble; it may be well again before.
    return None if seconds is None else min(seconds, 60.0)


def _detail(reply: requests.Response) -> str:
    """Return the server's error message: the API answers {"detail": "..."}, other servers in any
    form."""
    try:
        answer = json.loads(_read(reply, 2**16))
    except (ValueError, RecursionError, Refused, exceptions.RequestException):
        return ""
    detail = answer.get("detail", "") if isinstance(answer, dict) else ""
    return without_secrets(str(detail))


def _read(reply: requests.Response, most: int) -> bytes:
    content = bytearray()
    for block in reply.iter_content(2**16):
        content += block
        if len(content) > most:
            raise Refused(
                f"{_host(reply.url)} sent more than {most} bytes, which no such reply has"
            )
    return bytes(content)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the server"
    except ValueError:  # "https://[", which requests then refuses
        return "the server"

"""The user's keys: read from the environment when a request needs one, sent to the API's host
alone, and written nowhere."""

import ipaddress
import os
import re
from typing import Any
from urllib.parse import urlsplit

from texturelib.errors import TextureError

API_KEY = "FREESOUND_API_KEY"
OAUTH_TOKEN = "FREESOUND_OAUTH_TOKEN"


class Key:
    """Signs a request; requests takes the signature off again where a redirect leads to another
    host."""

    def __init__(self, variable: str, scheme: str, secret: str) -> None:
        self.variable = variable
        self._header = f"{scheme} {secret}"

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = self._header
        return request


def search_key() -> Key:
    """Return the key for searches. Errors: TextureError where there is none, saying where to get
    one."""
    if secret := _secret(API_KEY):
        return Key(API_KEY, "Token", secret)
    if secret := _secret(OAUTH_TOKEN):
        return Key(OAUTH_TOKEN, "Bearer", secret)
    raise TextureError(
        f"{API_KEY} is not set: get a key at https://freesound.org/apiv2/apply and put it into that variable"
    )


def download_key() -> Key:
    """Return the OAuth2 token for original files, which Freesound gives only to a logged-in user.

    Errors: TextureError where there is none, saying where to get one.
    """
    if secret := _secret(OAUTH_TOKEN):
        return Key(OAUTH_TOKEN, "Bearer", secret)
    raise TextureError(
        f"{OAUTH_TOKEN} is not set: original files need an OAuth2 token, which lasts for 24 hours. "
        'https://freesound.org/docs/api/authentication.html says how to get one; "files": "previews" needs none'
    )


def without_secrets(text: str) -> str:
    """Return a server's message, safe to show: one line, shortened, with any key in it removed."""
    for variable in (API_KEY, OAUTH_TOKEN):
        if secret := os.environ.get(variable, "").strip():
            text = text.replace(secret, "...")
    line = "".join(character for character in " ".join(text.split()) if character.isprintable())
    return line if len(line) <= 200 else f"{line[:197]}..."


def checked_base_url(url: str) -> str:
    """Return the URL without a slash at its end. Errors: ValueError where a key would go over the
    network in plain sight."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(url):
        raise ValueError(
            f'"{url}": should begin with https:// (the key goes there), or lead to this machine'
        )
    if not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(f'"{url}": should be a host and a path, as in https://freesound.org/apiv2')
    return url.rstrip("/")


def is_loopback(url: str) -> bool:
    """Return whether the URL is of plain http and leads to this very machine.

    >>> is_loopback("http://127.0.0.1:8000/apiv2"), is_loopback("http://127.0.0.1.example.org")
    (True, False)
    """
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and (
            parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
        )
    except ValueError:  # neither an address nor "localhost"
        return False


def _secret(variable: str) -> str:
    secret = os.environ.get(variable, "").strip()
    # Checked here, since the HTTP library would repeat it in its complaint.
    if secret and not re.fullmatch(r"[\x21-\x7e]+", secret):
        raise TextureError(f"{variable} holds spaces or signs that no key has; set it anew")
    return secret

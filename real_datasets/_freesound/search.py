"""The found sounds, kept on disk page by page: a stopped search goes on at the next page, a
finished one asks nothing."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from real_datasets._freesound.retries import Refused
from texturelib.errors import TextureError
from texturelib.files import read_json, shown, write_json
from texturelib.progress import progress

Ask = Callable[[int], Mapping[str, Any]]
"""Number of a page, from 1 -> the API's reply."""


class Sound(BaseModel):
    """One result of a search, with the API's names of its fields."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str = ""
    tags: tuple[str, ...] = ()
    username: str = ""
    license: str = ""
    gen_ai_preference: str | None = None
    duration: float = 0.0
    url: str = ""
    type: str = ""
    filesize: int = 0
    md5: str | None = None
    """MD5 of the uploaded file; the API's documentation does not list this field."""
    previews: dict[str, str | None] = {}


FIELDS = ",".join(Sound.model_fields)


class _Page(BaseModel):
    sounds: tuple[Sound, ...]
    is_last: bool


def search(
    pages: Path,
    parameters: Mapping[str, str],
    most: int,
    is_wanted: Callable[[Sound], bool],
    ask: Ask,
) -> list[Sound]:
    """Return up to `most` wanted sounds, each once, in the search's order; pages that are not in
    the folder `pages` are asked for.

    Errors: TextureError.
    """
    sounds: dict[int, Sound] = {}
    for page in progress(_pages(pages, parameters, ask), "searching", unit="page"):
        # By id: a result that moved to the next page, because new ones came before it, appears
        # twice.
        sounds |= {sound.id: sound for sound in page.sounds if is_wanted(sound)}
        if len(sounds) >= most:
            break
    return list(sounds.values())[:most]


def pages_folder(folder: Path, parameters: Mapping[str, str]) -> Path:
    """Return the folder with the pages of this search. Another query has another folder, so none is
    overwritten."""
    digest = hashlib.sha256(json.dumps(dict(parameters), sort_keys=True).encode()).hexdigest()
    return folder / f"search_{digest[:12]}"


def _pages(pages: Path, parameters: Mapping[str, str], ask: Ask) -> Iterator[_Page]:
    for number in count(1):
        path = pages / f"page_{number:05}.json"
        if path.exists():
            page = _stored(path)
        else:
            page = _asked(number, ask)
            if number == 1:
                write_json(pages / "query.json", dict(parameters))  # for people
            write_json(path, page.model_dump(mode="json"), is_durable=True)
        yield page
        if page.is_last:
            return


def _stored(path: Path) -> _Page:
    try:
        return _Page.model_validate(read_json(path))
    except ValidationError:
        raise TextureError(
            f"{shown(path)}: not a page of a search; remove it, and it is asked for again"
        ) from None


def _asked(number: int, ask: Ask) -> _Page:
    try:
        reply = ask(number)
    except Refused as refused:
        # So many sounds were removed that there is no such page any more.
        if refused.status == 404 and number > 1:
            return _Page(sounds=(), is_last=True)
        raise TextureError(
            f"the search failed: {refused}"
            + (" (is base_url right?)" if refused.status == 404 else "")
        ) from None
    try:
        # None stands for a sound that the index has and the database has no more.
        found = tuple(
            Sound.model_validate(result) for result in reply["results"] if result is not None
        )
        return _Page(sounds=found, is_last=reply["next"] is None)
    except (KeyError, TypeError, ValidationError) as error:
        wrong = error.errors()[0]["loc"] if isinstance(error, ValidationError) else error
        raise TextureError(
            f"the search failed: the reply is not what the API documents ({wrong})"
        ) from None

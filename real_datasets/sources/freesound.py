"""Sounds that Freesound (https://freesound.org) finds."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from real_datasets._freesound.keys import checked_base_url, download_key, search_key
from real_datasets._freesound.retries import KEPT, Connection, Failed, Refused
from real_datasets._freesound.search import FIELDS, Sound, pages_folder, search
from real_datasets.sources._base import Recording, Source, sources
from texturelib.config import ConfigPath
from texturelib.errors import TextureError
from texturelib.files import remove_parts, shown
from texturelib.made import begin_list
from texturelib.progress import progress
from texturelib.sound_files import SUFFIXES

if TYPE_CHECKING:
    from real_datasets._freesound.api import Api

Licence = Literal["Creative Commons 0", "Attribution", "Attribution NonCommercial"]
GenAiPreference = Literal[
    "no-additional-preferences",
    "open-source-models",
    "noncommercial-open-source-models",
    "no-gen-ai",
]

# Keys: the part of a licence's URL that names it; the version follows.
_LICENCE_OF: dict[str, Licence] = {
    "/publicdomain/zero/": "Creative Commons 0",
    "/licenses/by/": "Attribution",
    "/licenses/by-nc/": "Attribution NonCommercial",
}
# One file may be broken over there; three one after the other are more than that.
_LIMIT_OF_FAILURES = 3


@sources.register
class Freesound(Source):
    """The results of a search on Freesound, downloaded once; needs a key in FREESOUND_API_KEY."""

    has_open_vocabulary: ClassVar[bool] = True

    type: Literal["freesound"] = "freesound"
    folder: ConfigPath
    """Folder of the downloaded sounds; several configs may share it."""
    query: str = ""
    """Words to search for, as in Freesound's own search box."""
    tags: tuple[Annotated[str, Field(pattern=r'^[^\s"\\]+$')], ...] = ()
    """Tags that a sound must have, all of them."""
    seconds: tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]] = (1.0, 300.0)
    """Shortest and longest length of a sound, in seconds."""
    licences: Annotated[tuple[Licence, ...], Field(min_length=1)] = (
        "Creative Commons 0",
        "Attribution",
    )
    """Licences with which a sound is taken."""
    gen_ai_preference: Annotated[tuple[GenAiPreference, ...], Field(min_length=1)] | None = None
    """Uploaders' preferences about the training of generative models with which a sound is taken
    (https://freesound.org/help/faq/ explains them); a sound without one is then left out. null
    takes all."""
    most: Annotated[int, Field(ge=1)] = 500
    """Maximum number of sounds: the first ones in the order of `sort`."""
    sort: Literal[
        "created_asc",
        "created_desc",
        "score",
        "rating_desc",
        "downloads_desc",
        "duration_asc",
        "duration_desc",
    ] = "created_asc"
    """Order of the results. Only with created_asc do new uploads not move sounds from page to page
    while a search runs."""
    files: Literal["previews", "originals"] = "previews"
    """Files to download: previews are Ogg Vorbis of some 192 kbit/s; originals need an OAuth2 token
    in FREESOUND_OAUTH_TOKEN."""
    max_megabytes: Annotated[float, Field(gt=0)] = 500.0
    """Largest size of a file that is downloaded, in megabytes."""
    base_url: Annotated[str, AfterValidator(checked_base_url)] = "https://freesound.org/apiv2"
    """Address of the API, to which the key is sent."""
    connection: Connection = Connection()
    """Tries, waits and timeouts of requests."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> "Freesound":
        if not self.query.strip() and not self.tags:
            raise ValueError("query: is empty and so are tags; that would be all of Freesound")
        if self.seconds[0] > self.seconds[1]:
            raise ValueError(f"seconds: {list(self.seconds)}: should be [at least, at most]")
        return self

    @property
    def inputs(self) -> Mapping[str, Path]:
        # The search decides what is read, and it stands in the config; the folder fills while a
        # build runs.
        return {}

    def recordings(self) -> Sequence[Recording]:
        """Return the results of the search; requests only pages that are not in `folder` yet."""
        found = self._found()
        if not found:
            wish = (
                f" and gen_ai_preference {', '.join(self.gen_ai_preference)}"
                if self.gen_ai_preference
                else ""
            )
            raise TextureError(
                f'source: Freesound has no sound for "{self.query}" with {self._filter}{wish}'
            )
        return [
            Recording(
                name=path.name,
                path=path,
                tags=sound.tags,
                licence=sound.license,
                author=sound.username,
                title=sound.name,
                url=sound.url,
                gen_ai_preference=sound.gen_ai_preference or "",
            )
            for path, sound in found.items()
        ]

    def fetch(self, recordings: Sequence[Recording]) -> Mapping[str, str]:
        """Download what is not there yet, one after the other."""
        found = self._found()
        missing = [
            recording
            for recording in recordings
            if not self._is_there(recording.path, found[recording.path])
        ]
        remove_parts(self.folder / self.files)  # of a run that was killed
        if not missing:
            return {}
        (self.folder / self.files).mkdir(parents=True, exist_ok=True)
        begin_list(self.folder / self.files)
        api = self._api()
        reasons: dict[str, str] = {}
        n_failed = 0
        for recording in progress(
            missing, "downloading", total=len(recordings), initial=len(recordings) - len(missing)
        ):
            try:
                self._download(api, found[recording.path], recording.path)
                n_failed = 0
            except Refused as refused:
                reasons[recording.name] = str(refused)
            except Failed as failed:
                reasons[recording.name] = f"could not be downloaded: {failed}"
                n_failed += 1
                if n_failed == _LIMIT_OF_FAILURES:
                    raise TextureError(
                        f"{n_failed} sounds one after the other failed (the last: {failed}); {KEPT}"
                    ) from None
        return reasons

    def check_keys(self) -> None:
        search_key()
        if self.files == "originals":
            download_key()

    def so_far(self) -> str:
        """Return a phrase about what earlier runs have found and downloaded; makes no request."""
        try:
            found = self._found(may_ask=False)
        except _NotYetAsked:
            return f"{shown(self.folder)}: the search is not finished"
        there = [path for path, sound in found.items() if self._is_there(path, sound)]
        megabytes = sum(path.stat().st_size for path in there) / 1e6
        return f"{shown(self.folder)}: {len(found)} sounds found, {len(there)} of them downloaded ({megabytes:.0f} MB)"

    @property
    def _filter(self) -> str:
        """The API's `filter`, see
        https://freesound.org/docs/api/resources_apiv2.html#search-filter."""
        # Older documentation spells the third one otherwise, and the index may tell capitals from
        # small letters.
        spelt = [
            name
            for licence in self.licences
            for name in dict.fromkeys([licence, licence.replace("NonC", "Nonc")])
        ]
        licences = " OR ".join(f'"{name}"' for name in spelt)
        tags = [f'tag:"{tag}"' for tag in self.tags]
        return " ".join(
            [*tags, f"duration:[{self.seconds[0]} TO {self.seconds[1]}]", f"license:({licences})"]
        )

    def _found(self, may_ask: bool = True) -> dict[Path, Sound]:
        """Return the found sounds by the path of their file."""
        parameters = {
            "query": self.query,
            "filter": self._filter,
            "sort": self.sort,
            "fields": FIELDS,
        }
        api = cache(self._api)  # one, and only if something is left to ask
        pages = pages_folder(self.folder, {"base_url": self.base_url, **parameters})

        def ask(number: int) -> Mapping[str, object]:
            if not may_ask:
                raise _NotYetAsked
            return api().page(parameters, number)

        return {
            self._path(sound): sound
            for sound in search(pages, parameters, self.most, self._is_wanted, ask)
        }

    def _api(self) -> "Api":
        from real_datasets._freesound.api import Api  # here, since it takes a while

        return Api(self.base_url, self.connection)

    def _is_wanted(self, sound: Sound) -> bool:
        # Looked at again here: what a sound may be used for should not hang on the spelling in a
        # filter.
        has_licence = any(
            part in sound.license and licence in self.licences
            for part, licence in _LICENCE_OF.items()
        )
        return has_licence and (
            self.gen_ai_preference is None or sound.gen_ai_preference in self.gen_ai_preference
        )

    def _path(self, sound: Sound) -> Path:
        suffix = f".{sound.type.lower()}" if self.files == "originals" else ".ogg"
        # A type that cannot be read, or that is no word at all, stays out of the file's name.
        return self.folder / self.files / f"{sound.id}{suffix if suffix in SUFFIXES else ''}"

    def _is_there(self, path: Path, sound: Sound) -> bool:
        size = path.stat().st_size if path.is_file() else 0
        return size > 0 and (
            self.files == "previews" or not sound.filesize or size == sound.filesize
        )

    def _download(self, api: "Api", sound: Sound, path: Path) -> None:
        """Download one sound. Errors: Refused, Failed, TextureError."""
        max_bytes = round(self.max_megabytes * 1e6)
        if self.files == "previews":
            url = sound.previews.get("preview-hq-ogg")
            if not url:
                raise Refused("Freesound has no preview of it")
            api.preview(url, path, max_bytes=max_bytes)
        else:
            if not path.suffix:
                raise Refused(
                    f'its original ({sound.type[:10]!a}) cannot be read here; "files": "previews" has it as Ogg Vorbis'
                )
            if sound.filesize > max_bytes:
                raise Refused(f"is larger than max_megabytes = {self.max_megabytes:g} allows")
            api.original(
                sound.id, path, size=sound.filesize, md5=sound.md5 or "", max_bytes=max_bytes
            )


class _NotYetAsked(Exception):  # noqa: N818 (an outcome, not an error)
    pass

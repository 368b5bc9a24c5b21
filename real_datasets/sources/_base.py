"""The protocol of a source of recordings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from texturelib.config import Config
from texturelib.registry import Registry

sources = Registry("real_datasets.sources")


@dataclass(frozen=True)
class Recording:
    """One sound file before it is cut, and what its source says of it; "" and () where it says
    nothing.

    name: how people know it, unique in its source (for a file, its relative path). split: of the
    source's own ("dev", "fold3"). origin: what recordings that were cut from one longer one have in
    common; its name where it stands alone. licence, author, title, url: for the attribution that
    most licences ask for. gen_ai_preference: what its uploader wishes about the training of
    generative models, in Freesound's words.
    """

    name: str
    path: Path
    tags: tuple[str, ...] = ()
    split: str = ""
    origin: str = ""
    licence: str = ""
    author: str = ""
    title: str = ""
    url: str = ""
    gen_ai_preference: str = ""


class Source(Config):
    """Base of the sources: a subclass says its `type`, and its fields are its settings."""

    has_open_vocabulary: ClassVar[bool] = False
    """Whether tags are free text, so that a wanted tag may occur on none of the recordings."""

    @property
    def inputs(self) -> Mapping[str, Path]:
        """The files and folders that are read, by name: a change in one makes the output
        outdated."""
        raise NotImplementedError

    def recordings(self) -> Sequence[Recording]:
        """Return all recordings of the source, in an order that does not depend on the file system,
        from metadata alone.

        Errors: TextureError when there are none, or their metadata cannot be read.
        """
        raise NotImplementedError

    def so_far(self) -> str:
        """Return a phrase about what is there already, where files must be fetched; else "".
        Nothing is fetched."""
        return ""

    def check_keys(self) -> None:
        """Check that the keys are set that fetching takes. Errors: TextureError where files must be
        fetched, and the key that this takes is not set."""

    def missing(self, recordings: Sequence[Recording]) -> Mapping[str, str]:
        """Return the recordings whose sound file should be there and is not: the reason by name.
        Nothing is fetched."""
        return {}

    def fetch(self, recordings: Sequence[Recording]) -> Mapping[str, str]:
        """Bring the sound files of these recordings to where their `path` says. -> by name of what
        cannot be had, the reason."""
        return self.missing(recordings)

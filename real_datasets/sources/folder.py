"""Any folder of sound files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from real_datasets.sources._base import Recording, Source, sources
from texturelib.audio import SUFFIXES, find_audio
from texturelib.config import ConfigPath
from texturelib.errors import TextureError
from texturelib.files import shown


@sources.register
class Folder(Source):
    """Every sound file in a folder and the folders below it; hidden files are left alone."""

    type: Literal["folder"] = "folder"
    path: ConfigPath

    @property
    def inputs(self) -> Mapping[str, Path]:
        return {"source.path": self.path}

    def recordings(self) -> Sequence[Recording]:
        if not self.path.is_dir():
            raise TextureError(f"source.path: {shown(self.path)}: no such folder")
        found = [Recording(_as_text(path.relative_to(self.path)), path) for path in find_audio(self.path)]
        if not found:
            raise TextureError(f"source.path: {shown(self.path)}: holds no sound files ({', '.join(sorted(SUFFIXES))})")
        return found


def _as_text(path: Path) -> str:
    """-> the path with forward slashes; bytes of it that are not UTF-8 as `\\xe4`, since tables and pages hold text."""
    return path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")

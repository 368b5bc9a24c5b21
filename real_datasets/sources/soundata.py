"""Any dataset that soundata reads and that has tags, such as UrbanSound8K and ESC-50."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator

from real_datasets.sources._base import Recording, Source, sources
from real_datasets.sources._soundata import check_table, dataset_names, missing_files, open_dataset
from real_datasets.sources._terms import terms_of_clips
from texturelib.config import ConfigPath
from texturelib.errors import TextureError, UsageError
from texturelib.files import read_json, shown
from texturelib.nearest import did_you_mean

_LONGEST_LICENCE = 200  # characters: some datasets give pages of it


@dataclass(frozen=True)
class _Layout:
    """The layout of a dataset that can be read without soundata's index.

    audio: from a row of soundata's metadata, the sound's place. freesound_id: which property of a
    clip says what it was cut from.
    """

    table: str
    columns: tuple[str, ...]
    audio: Callable[[Mapping[str, Any]], str]
    freesound_id: str
    licence: str


_LAYOUTS = {
    "esc50": _Layout(
        table="meta/esc50.csv",
        columns=("filename", "fold", "target", "category", "esc10", "src_file", "take"),
        audio=lambda row: f"audio/{row['filename']}",
        freesound_id="src_file",
        licence="CC BY-NC 3.0",
    ),
    "urbansound8k": _Layout(
        table="metadata/UrbanSound8K.csv",
        columns=("slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class"),
        audio=lambda row: f"audio/fold{row['fold']}/{row['slice_file_name']}",
        freesound_id="freesound_id",
        licence="CC BY-NC",  # its readme says 3.0, Zenodo 4.0
    ),
}


@sources.register
class Soundata(Source):
    """A dataset that soundata reads and gives tags, downloaded and extracted. FSD50K has a source
    of its own."""

    type: Literal["soundata"] = "soundata"
    dataset: str
    """soundata's name of the dataset: `urbansound8k`, `esc50`, `fsdnoisy18k`, ..."""
    path: ConfigPath
    """The folder that soundata calls data_home."""
    index: ConfigPath | None = None
    """soundata's index, a JSON file; not needed for `urbansound8k` and `esc50`, nor where soundata
    has downloaded it."""

    @field_validator("dataset")
    @classmethod
    def _is_readable(cls, name: str) -> str:
        if name == "fsd50k":
            raise ValueError('"fsd50k" has a source of its own, {"type": "fsd50k", "path": ...}')
        known = [known for known in dataset_names() if known != "fsd50k"]
        if name not in known:
            raise ValueError(f'soundata has no "{name}" {did_you_mean(name, known)}')
        return name

    @property
    def inputs(self) -> Mapping[str, Path]:
        return {"source.path": self.path} | ({"source.index": self.index} if self.index else {})

    def recordings(self) -> Sequence[Recording]:
        if not self.path.is_dir():
            raise TextureError(f"source.path: {shown(self.path)}: no such folder")
        dataset = open_dataset(self.dataset, self.path)
        if not hasattr(dataset._clip_class, "tags"):
            folder = '{"type": "folder"}'
            raise UsageError(
                f'source.dataset: soundata gives the clips of "{self.dataset}" no tags; {folder} takes all of them'
            )
        licence = " ".join((dataset._license_info or "").split())[:_LONGEST_LICENCE]
        try:
            # Else it reads, or asks for, the one that it downloads.
            dataset._index = self._index(dataset)
            found = self._with_terms(
                [self._recording(dataset.clip(clip_id), licence) for clip_id in dataset.clip_ids]
            )
        except TextureError:
            raise
        # Its readers check nothing: whatever a damaged file makes them raise.
        except Exception as error:
            what = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            raise TextureError(
                f"source.path: {shown(self.path)}: soundata cannot read {self.dataset} there ({what})"
            ) from error
        if not found:
            raise TextureError(
                f"source.path: {shown(self.path)}: the index of {self.dataset} lists no clips"
            )
        return found

    def missing(self, recordings: Sequence[Recording]) -> Mapping[str, str]:
        return missing_files(recordings)

    def _index(self, dataset: Any) -> Mapping[str, Any]:
        """Return which clips there are, and where their sounds lie, as soundata's indexes have
        it."""
        layout = _LAYOUTS.get(self.dataset)
        if layout and not self.index:
            table = self.path / layout.table
            if not table.is_file():
                raise TextureError(
                    f"source.path: {shown(self.path)}: is not {self.dataset}: it has no {layout.table}"
                )
            check_table(table, layout.columns, len(layout.columns))
            return {
                "clips": {
                    clip_id: {"audio": [layout.audio(row), None]}
                    for clip_id, row in dataset._metadata.items()
                }
            }
        path = self.index or Path(dataset.index_path)
        if not path.is_file():
            how = f"import soundata; soundata.initialize('{self.dataset}').download(['index'])"
            missing = (
                f"{shown(path)}: no such file" if self.index else f"is needed for {self.dataset}"
            )
            raise UsageError(
                f'source.index: {missing}; soundata downloads its index with: python -c "{how}"'
            )
        index = read_json(path)
        if not isinstance(index, dict) or not isinstance(index.get("clips"), dict):
            raise TextureError(
                f"source.index: {shown(path)}: not an index of soundata's, which lists clips"
            )
        return index

    def _with_terms(self, recordings: Sequence[Recording]) -> list[Recording]:
        """Return the recordings with each one's own licence, author and title, as far as the
        dataset tells them."""
        terms = terms_of_clips(
            self.dataset, self.path, [recording.path.name for recording in recordings]
        )
        return [
            replace(
                recording,
                licence=terms[recording.path.name].licence or recording.licence,
                author=terms[recording.path.name].author,
                title=terms[recording.path.name].title,
            )
            for recording in recordings
        ]

    def _recording(self, clip: Any, licence: str) -> Recording:
        layout = _LAYOUTS.get(self.dataset)
        path = Path(os.path.normpath(clip.audio_path))
        if not path.is_relative_to(self.path):
            raise TextureError(
                f"source.path: clip {clip.clip_id} of {self.dataset} lies outside, at {shown(path)}"
            )
        name = path.relative_to(self.path).as_posix()
        tags = clip.tags  # None where only those who made the dataset know them
        fold = getattr(clip, "fold", None)
        freesound_id = str(getattr(clip, layout.freesound_id)) if layout else ""
        return Recording(
            name=name,
            path=path,
            tags=tuple(tags.labels) if tags else (),
            split=str(getattr(clip, "split", None) or (f"fold{fold}" if fold is not None else "")),
            origin=f"freesound {freesound_id}" if freesound_id else name,
            # The licence of the whole set. The ten classes that its readme calls ESC-10 have a more
            # permissive one.
            licence="CC BY"
            if getattr(clip, "esc10", False)
            else layout.licence
            if layout
            else licence,
            url=f"https://freesound.org/s/{freesound_id}/" if freesound_id else "",
        )

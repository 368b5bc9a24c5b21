"""FSD50K: 51,197 sounds of Freesound with 200 classes for tags (Fonseca et al., 2020)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from real_datasets.sources._base import Recording, Source, sources
from real_datasets.sources._soundata import check_table, missing_files, open_dataset
from texturelib.config import ConfigPath
from texturelib.errors import TextureError
from texturelib.files import read_json, shown

_COLUMNS = {"dev": ["fname", "labels", "mids", "split"], "eval": ["fname", "labels", "mids"]}


@sources.register
class Fsd50k(Source):
    """FSD50K, downloaded and extracted. A recording's tags are its labels and, as FSD50K has it,
    all classes above them."""

    type: Literal["fsd50k"] = "fsd50k"
    path: ConfigPath
    """The folder that holds FSD50K.dev_audio, FSD50K.eval_audio, FSD50K.ground_truth and
    FSD50K.metadata."""
    splits: Annotated[tuple[Literal["dev", "eval"], ...], Field(min_length=1)] = ("dev", "eval")

    @property
    def inputs(self) -> Mapping[str, Path]:
        return {"source.path": self.path}

    def recordings(self) -> Sequence[Recording]:
        self._check_folder()
        dataset = open_dataset("fsd50k", self.path)
        vocabulary_path = Path(dataset.vocabulary_path)
        check_table(vocabulary_path, None, n_columns=3)
        vocabulary, _ = dataset.load_fsd50k_vocabulary(dataset.vocabulary_path)
        return [
            recording
            for split in dict.fromkeys(self.splits)
            for recording in self._of(split, dataset, vocabulary)
        ]

    def missing(self, recordings: Sequence[Recording]) -> Mapping[str, str]:
        return missing_files(recordings)

    def _of(self, split: str, dataset: Any, vocabulary: Mapping[str, str]) -> Iterator[Recording]:
        """The recordings of "dev" or "eval", in the order of its table."""
        table = self.path / "FSD50K.ground_truth" / f"{split}.csv"
        rows = check_table(table, _COLUMNS[split], len(_COLUMNS[split]))
        metadata = self.path / "FSD50K.metadata" / f"{split}_clips_info_FSD50K.json"
        facts = read_json(metadata)
        if not isinstance(facts, dict):
            raise TextureError(f"{shown(metadata)}: should be an object with an entry per clip")
        # Not soundata's clips: they want an index, which it downloads, and look each clip up in a
        # list of all of them.
        truth, names = dataset.load_ground_truth(str(table))
        if len(truth) < len(rows):
            twice = Counter(names).most_common(1)[0][0]
            raise TextureError(f"{shown(table)}: clip {twice} stands there twice")
        for name, labels in truth.items():
            if not (name.isascii() and name.isdigit()):
                raise TextureError(
                    f'{shown(table)}: "{name}" is not a clip: FSD50K names them by number'
                )
            if strange := [label for label in labels["tags"] if label not in vocabulary]:
                raise TextureError(
                    f'{shown(table)}: clip {name} has the label "{strange[0]}", which is not in vocabulary.csv'
                )
            yield Recording(
                name=f"{split}/{name}.wav",
                path=self.path / f"FSD50K.{split}_audio" / f"{name}.wav",
                tags=tuple(labels["tags"]),
                split=f"dev_{labels['split']}" if split == "dev" else "eval",
                origin=f"{split}/{name}.wav",
                licence=_text(facts, name, "license"),
                author=_text(facts, name, "uploader"),
                title=_text(facts, name, "title"),
                url=f"https://freesound.org/s/{name}/",
            )

    def _check_folder(self) -> None:
        if not self.path.is_dir():
            raise TextureError(f"source.path: {shown(self.path)}: no such folder")
        needed = ["FSD50K.ground_truth/vocabulary.csv"]
        for split in dict.fromkeys(self.splits):
            needed += [
                f"FSD50K.ground_truth/{split}.csv",
                f"FSD50K.metadata/{split}_clips_info_FSD50K.json",
                f"FSD50K.{split}_audio",
            ]
        missing = [name for name in needed if not (self.path / name).exists()]
        if len(missing) == len(needed):
            folders = sorted({name.split("/")[0] for name in needed})
            raise TextureError(
                f"source.path: {shown(self.path)}: is not FSD50K, which has the folders {', '.join(folders)}"
            )
        if missing:
            raise TextureError(
                f"source.path: {shown(self.path)}: lacks {', '.join(missing)}; extract all archives of FSD50K"
            )


def _text(facts: Mapping[str, Any], clip: str, key: str) -> str:
    """Return the uploader's text, "" if there is none."""
    of_clip = facts.get(clip)
    value = of_clip.get(key) if isinstance(of_clip, dict) else None
    return value if isinstance(value, str) else ""

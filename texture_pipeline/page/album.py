"""The sounds and pictures that go with the page."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np

from texturelib.audio import read_header, read_mono
from texturelib.dataset import Dataset
from texturelib.errors import Rejected, TextureError
from texturelib.files import link_or_copy, shown, whole_file
from texturelib.made import LIST


class Album:
    """The sounds and pictures that go with the page, copied beside it under plain names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clips: dict[Path, dict[str, str]] = {}
        self._names: Counter[str] = Counter()

    def _free(self, name: str) -> str:
        """Return the name, with a number from the second time on, since there may be two
        synthesisers."""
        self._names[name] += 1
        return name if self._names[name] == 1 else f"{name}_{self._names[name]}"

    def picture(self, path: Path) -> str:
        name = f"pictures/{self._free(f'{path.parent.name}_{path.stem}')}{path.suffix}"
        with whole_file(self._folder / name) as part:
            shutil.copyfile(path, part)
        return name

    def copy(self, path: Path, name: str) -> str:
        """Copy a file beside the page under a name, and return that."""
        link_or_copy(path, self._folder / name)
        return name

    def page(self, folder: Path) -> str:
        """Copy the page in a folder with everything around it, and return the copy."""
        name = self._free(folder.name)
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name not in ("run.json", "config.json", LIST):
                link_or_copy(path, self._folder / name / path.relative_to(folder))
        return f"{name}/index.html"

    def clip(self, dataset: Dataset, index: int) -> dict[str, str]:
        """Return the sound and picture (relative paths) and the name of a clip."""
        path = dataset.path(index)
        return self._clips.get(path) or self._add(path, dataset.clip(index), dataset.sample_rate)

    def sound(self, path: Path) -> dict[str, str]:
        """Return the same as `clip` for any wav. Errors: TextureError."""
        return self._clips.get(path) or self._add(path, *_read(path))

    def _add(self, path: Path, samples: np.ndarray, sample_rate: int) -> dict[str, str]:
        from texturelib.pictures import spectrogram_picture

        # Numbered: recordings and folders may be called anything, and a page's links should not
        # depend on it.
        stem = f"clip_{len(self._clips) + 1:03}"
        link_or_copy(path, self._folder / "sounds" / f"{stem}.wav")
        mono = samples if samples.ndim == 1 else samples.mean(axis=1)
        spectrogram_picture(self._folder / "sounds" / f"{stem}.png", mono, sample_rate)
        self._clips[path] = {
            "sound": f"sounds/{stem}.wav",
            "picture": f"sounds/{stem}.png",
            "name": path.stem,
        }
        return self._clips[path]


def _read(wav: Path) -> tuple[np.ndarray, int]:
    """Return the samples and their sample rate. Errors: TextureError."""
    try:
        rate = read_header(wav).sample_rate
        return read_mono(wav, rate), rate
    except Rejected as reason:
        raise TextureError(f"{shown(wav)}: {reason}") from None

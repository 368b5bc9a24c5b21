"""Dataset folders, which pass between the stages: metadata.csv, audio/, config.json,
dataset.json, rejected.csv."""

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from texturelib._config_errors import first_problem
from texturelib.audio import MOST_CHANNELS, read_clip
from texturelib.controls import ControlDescription
from texturelib.dataset_card import write_dataset_card
from texturelib.errors import Rejected, TextureError
from texturelib.files import read_json, read_table, shown, write_json, write_table

if TYPE_CHECKING:
    import pandas as pd


class _Description(BaseModel):
    """The parts of dataset.json that must be right; there may be others."""

    model_config = ConfigDict(strict=True)

    sample_rate: Annotated[int, Field(ge=1, lt=2**32)]
    seconds: Annotated[float, Field(gt=0, le=86400)]
    channels: Annotated[int, Field(ge=1, le=MOST_CHANNELS)] = 1
    controls: list[ControlDescription]


@dataclass(frozen=True)
class Dataset:
    """A dataset folder whose table has been read.

    metadata: a row per clip; `file_name` first, then one column per control (0..1), then others.
    description: the content of dataset.json.
    """

    folder: Path
    metadata: "pd.DataFrame"
    description: Mapping[str, Any]

    @property
    def controls(self) -> list[str]:
        return [control["name"] for control in self.description["controls"]]

    @property
    def sample_rate(self) -> int:
        return self.description["sample_rate"]

    @property
    def seconds(self) -> float:
        return self.description["seconds"]

    @property
    def n_samples(self) -> int:
        """Number of samples of each clip."""
        return round(self.sample_rate * self.seconds)

    @property
    def n_channels(self) -> int:
        """Number of channels of each clip; 1 where dataset.json does not say."""
        return self.description.get("channels", 1)

    def __len__(self) -> int:
        return len(self.metadata)

    def path(self, index: int) -> Path:
        return self.folder / self.metadata["file_name"].iloc[index]

    def clip(self, index: int) -> np.ndarray:
        """Return a clip as [n_samples] float32, or [n_samples, n_channels] where these are several.

        Errors: TextureError, naming the file, when it is not a clip of this dataset.
        """
        return clip_at(self.path(index), self.sample_rate, self.n_samples, self.n_channels)

    def control_values(self) -> np.ndarray:
        """Return the values of the controls as [clips, controls] float32, 0..1."""
        return self.metadata[self.controls].to_numpy(dtype=np.float32)


def clip_at(path: Path, sample_rate: int, n_samples: int, n_channels: int) -> np.ndarray:
    """Read a clip as `Dataset.clip` does, without the dataset's table."""
    try:
        return read_clip(path, sample_rate, n_samples, n_channels)
    except FileNotFoundError:
        raise TextureError(f"{shown(path)}: no such file, but metadata.csv names it") from None
    except Rejected as reason:
        raise TextureError(f"{shown(path)}: {reason}") from None


def read_dataset(folder: Path) -> Dataset:
    """Read a dataset folder and check its table: each file name is unique and lies in the folder,
    each control is a finite number.

    Errors: TextureError, naming the table and the row, or why the folder is not a dataset folder.
    """
    import pandas as pd

    if not folder.is_dir():
        raise TextureError(f"{shown(folder)}: no such folder")
    path = folder / "metadata.csv"
    description = read_description(folder)
    dataset = Dataset(folder, read_table(path), description)
    if not len(dataset):
        raise TextureError(f"{shown(path)}: holds no clips")
    for name in ["file_name", *dataset.controls]:
        if name not in dataset.metadata.columns:
            raise TextureError(f"{shown(path)}: has no column {name}")
        _check(path, ~dataset.metadata[name].isna(), f"{name} is empty")
    names = dataset.metadata["file_name"]
    _check(path, ~names.duplicated(), "stands there a second time", names)
    _check(path, names.map(_stays_inside), "is not inside the dataset's folder", names)
    for name in dataset.controls:
        values = dataset.metadata[name]
        numbers = _as_numbers(values)
        _check(
            path, pd.Series(np.isfinite(numbers)), "not a finite number", values, f"{name} is ", ","
        )
        if values.dtype == object:
            dataset.metadata[name] = numbers
    return dataset


def read_description(folder: Path) -> dict[str, Any]:
    """Return the content of dataset.json. Errors: TextureError when it is missing, or when
    something that a reader needs is wrong."""
    path = folder / "dataset.json"
    if not path.exists():
        raise TextureError(
            f"{shown(folder)}: not a finished dataset folder (it has no dataset.json)"
        )
    description = read_json(path)
    try:
        controls = _Description.model_validate(description).controls
    except ValidationError as error:
        raise TextureError(f"{shown(path)}: {first_problem(error)}") from None
    names = [control["name"] for control in controls]
    for name in names:
        if names.count(name) > 1:
            raise TextureError(f"{shown(path)}: controls: {name} stands there twice")
    return description


def _check(
    path: Path,
    is_right: "pd.Series",
    problem: str,
    values: "pd.Series | None" = None,
    before: str = "",
    after: str = "",
) -> None:
    """Check the rows. Errors: TextureError about the first row that is wrong, with its value
    before the problem."""
    if not is_right.all():
        row = int(is_right.to_numpy().argmin())
        value = "" if values is None else f"{before}{values.iloc[row]}{after} "
        # The first line of the file has the column names.
        raise TextureError(f"{shown(path)}: row {row + 2}: {value}{problem}")


def _as_numbers(values: "pd.Series") -> np.ndarray:
    """Return numbers, [rows], NaN for what is not a number."""
    import pandas as pd

    if values.dtype == bool:  # "true", which pandas would take for 1
        return np.full(len(values), np.nan)
    try:
        return pd.to_numeric(values, errors="coerce").to_numpy(float)  # type: ignore[union-attr]
    except OverflowError:  # a whole number of hundreds of digits
        return np.array([_as_number(value) for value in values])


def _as_number(value: Any) -> float:
    try:
        return float(value)
    except (ValueError, TypeError, OverflowError):
        return np.nan


def _stays_inside(name: str) -> bool:
    return (
        not PurePosixPath(name).is_absolute()
        and ".." not in PurePosixPath(name).parts
        and "\0" not in name
    )


def write_dataset(
    folder: Path,
    metadata: "pd.DataFrame",
    *,
    sample_rate: int,
    seconds: float,
    controls: Sequence[Mapping[str, Any]],
    n_channels: int = 1,
    remarks: Sequence[str] = (),
    **description: Any,
) -> None:
    """Write metadata.csv, README.md and dataset.json, the last files of a dataset folder.

    controls: a description of each: name, unit, low, high, ... remarks: sentences for README.md.
    description: what else dataset.json should contain (seed, counts, provenance).
    """
    import pandas as pd

    write_table(folder / "metadata.csv", metadata)
    rejected = folder / "rejected.csv"
    # An earlier run's file, as a power cut leaves it.
    if not rejected.exists() or not rejected.stat().st_size:
        write_table(rejected, pd.DataFrame(columns=["file", "reason"]))
    write_dataset_card(
        folder,
        metadata,
        sample_rate=sample_rate,
        seconds=seconds,
        n_channels=n_channels,
        controls=controls,
        remarks=remarks,
    )
    content = {
        "n_clips": len(metadata),
        "hours": round(len(metadata) * seconds / 3600, 4),
        "sample_rate": sample_rate,
        "seconds": seconds,
        "channels": n_channels,
        "controls": list(controls),
        **description,
        "versions": versions("numpy", "soundfile"),
    }
    write_json(folder / "dataset.json", content)


def versions(*packages: str) -> dict[str, str]:
    """Return the versions that made a result: Python's, ours, and those of `packages`."""
    return {"python": platform.python_version()} | {
        package: importlib.metadata.version(package) for package in ("texture-toolkit", *packages)
    }

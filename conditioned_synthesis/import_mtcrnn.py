"""A folder of MTCRNN's as a dataset folder, whose controls move along trajectories."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conditioned_synthesis.mtcrnn import Checked, read_folder
from texturelib.dataset import Dataset, write_dataset
from texturelib.files import link_or_copy, write_json

_TRAJECTORIES = "trajectories"  # the column of metadata.csv that names each clip's file, and the folder of these


def import_mtcrnn(wav_folder: Path, params_folder: Path, output: Path) -> Checked:
    """Write a dataset folder: the sounds, a column per control with its mean over the clip, and what each .params file says,
    in numbers. -> what is common to all.

    Errors: TextureError with the first thing that MTCRNN would stumble over, or learn wrongly from; nothing is written then.
    """
    import pandas as pd

    checked, contents = read_folder(wav_folder, params_folder, read_strings=True)
    (output / "dataset.json").unlink(missing_ok=True)
    for part in ("audio", _TRAJECTORIES):
        shutil.rmtree(output / part, ignore_errors=True)
    rows = []
    for name, controls in contents.items():
        file_name, trajectories = f"audio/{name.as_posix()}", f"{_TRAJECTORIES}/{name.with_suffix('.json').as_posix()}"
        link_or_copy(wav_folder / name, output / file_name)
        write_json(output / trajectories, controls)
        means = {control: mean_over(line["times"], line["values"], checked.seconds) for control, line in controls.items()}
        rows.append({"file_name": file_name, **means, _TRAJECTORIES: trajectories})
    first = next(iter(contents.values()))
    write_dataset(
        output,
        pd.DataFrame(rows),
        sample_rate=checked.sample_rate,
        seconds=checked.seconds,
        controls=[_description(name, line) for name, line in first.items()],
        provenance={"kind": "imported from MTCRNN", "of": wav_folder.name},
    )
    return checked


def trajectories_of(dataset: Dataset) -> dict[str, str]:
    """-> by file name: the file with its trajectories, both within the dataset's folder; none, unless it was imported."""
    if _TRAJECTORIES not in dataset.metadata:
        return {}
    return dict(zip(dataset.metadata["file_name"], dataset.metadata[_TRAJECTORIES], strict=True))


def mean_over(times: list[float], values: list[float], seconds: float) -> float:
    """times: rising, from 0 or before to `seconds` or after -> the mean of the straight lines between the values.

    >>> mean_over([0, 1, 2], [0.0, 1.0, 1.0], 2.0)
    0.75
    """
    inside = [time for time in times if 0 < time < seconds]
    points = np.array([0.0, *inside, seconds])
    return round(float(np.trapezoid(np.interp(points, times, values), points)) / seconds, 6)


def _description(name: str, line: Mapping[str, Any]) -> dict[str, Any]:
    """-> what dataset.json says of a control. Values run from 0 to 1; files may also say what they were before."""
    low, high, unit = (line.get(key) for key in ("origMinval", "origMaxval", "origUnits"))
    if not (isinstance(low, (int, float)) and isinstance(high, (int, float)) and low < high):
        low, high, unit = 0.0, 1.0, line.get("units")
    return {"name": name, "unit": str(unit or ""), "low": low, "high": high, "curve": "linear", "offset": 0.0}

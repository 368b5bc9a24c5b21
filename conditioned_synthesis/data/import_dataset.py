"""Import a folder in MTCRNN's format as a dataset folder, whose controls move along
trajectories."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from conditioned_synthesis.data.mtcrnn_format import Checked, control_of, find_pairs, read_folder
from texturelib.dataset import Dataset, write_dataset
from texturelib.durable import sync_file, sync_folder
from texturelib.errors import TextureError, UsageError
from texturelib.files import import_pandas, link_or_copy, read_json, real_path, shown, write_json
from texturelib.locks import Lock, check_free
from texturelib.made import (
    begin_list,
    finish_list,
    is_listed_folder,
    names_in,
    place_of,
    remove_folder_of_ours,
)
from texturelib.older_outputs import ALWAYS, names_of_older
from texturelib.output_contents import check_none_apart, look_through_output, not_ours

# The column of metadata.csv that names each clip's file, and the folder of these.
_TRAJECTORIES = "trajectories"
_COMMAND = "conditioned-synthesis import-mtcrnn"
_KIND = "imported from MTCRNN"
_TAKEN = ("file_name", "source", _TRAJECTORIES)  # columns of metadata.csv that hold text


def import_mtcrnn(wav_folder: Path, params_folder: Path, output: Path) -> Checked:
    """Write a dataset folder, and return what all its clips have in common. The dataset has the
    sounds, a column per control with its mean over the clip, and the content of each .params file,
    in numbers.

    A dataset that is there is replaced. Errors: TextureError with the first thing that MTCRNN would
    stumble over, or learn wrongly from; nothing is written then.
    """
    checked, contents = read_folder(wav_folder, params_folder, read_strings=True)
    for name in checked.controls:
        if problem := _problem_of_name(name):
            first = next(iter(find_pairs(wav_folder, params_folder).values()))
            raise TextureError(f"{shown(first)}: control {name!r}: {problem}")
    output = real_path(output)  # the dataset's own place, also where a link leads to it
    place_of(output)  # no link within another output leads there
    _check_replaceable(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    with Lock(output, output.with_name(f".part-lock-{output.name}")).held(_COMMAND):
        _replace(output, wav_folder, checked, contents)
    return checked


def _check_replaceable(output: Path) -> None:
    """Check that the folder holds only what an import wrote, since it is replaced as a whole.

    Errors: UsageError when it holds anything else.
    """
    if not output.exists():
        return
    check_free(output)
    found = look_through_output(output, _ours(output))
    check_none_apart(output, found)
    if found.strangers:
        raise UsageError(
            f"--output: {shown(output)} holds files that this toolkit did not make ({not_ours(found.strangers)}); move them "
            "away, or name another folder"
        )


def _ours(dataset: Path) -> set[str]:
    if is_listed_folder(dataset):
        return names_in(dataset)
    return names_of_older(dataset, _COMMAND) - set(ALWAYS) if is_import(dataset) else set()


def _replace(
    output: Path, wav_folder: Path, checked: Checked, contents: Mapping[Path, Mapping[str, Any]]
) -> None:
    # Made beside its place: a run that stops leaves what was there before, or nothing, and not half
    # a dataset.
    part, before = (output.with_name(f".part-{which}-{output.name}") for which in ("new", "old"))
    remove_folder_of_ours(part)
    remove_folder_of_ours(before)
    part.mkdir()
    try:
        begin_list(part, _names(contents))
        _write(part, wav_folder, checked, contents)
        finish_list(part)
        sync_folder(part)
        if output.exists():
            _check_replaceable(output)  # again, as writing may take long
            begin_list(output, _ours(output))
            output.rename(before)
        part.rename(output)
        sync_file(output.parent)
    except BaseException:
        # What went wrong matters more than what is left here, which the next import removes.
        with contextlib.suppress(TextureError, OSError):
            remove_folder_of_ours(part)
        raise
    remove_folder_of_ours(before)


def _names_of_clip(wav: Path) -> tuple[str, str]:
    """Return the names of a clip's sound and of its trajectories in the dataset."""
    return f"audio/{wav.as_posix()}", f"{_TRAJECTORIES}/{wav.with_suffix('.json').as_posix()}"


def _names(wavs: Iterable[Path]) -> Iterator[str]:
    """Yield the names of all files of the dataset.

    They are known from the beginning, so that the toolkit recognises them as its own after a power
    cut too.
    """
    for wav in wavs:
        yield from _names_of_clip(wav)
    yield from ("metadata.csv", "dataset.json", "rejected.csv", "README.md")


def _write(
    output: Path, wav_folder: Path, checked: Checked, contents: Mapping[Path, Mapping[str, Any]]
) -> None:
    """Write the dataset.

    contents: the .params file's content on each control, by wav within `wav_folder`.
    """
    pd = import_pandas()  # names may hold anything

    rows = []
    for name, controls in contents.items():
        file_name, trajectories = _names_of_clip(name)
        link_or_copy(wav_folder / name, output / file_name)
        write_json(output / trajectories, controls)
        means = {
            control: mean_over(line["times"], line["values"], checked.seconds)
            for control, line in controls.items()
        }
        rows.append({"file_name": file_name, **means, _TRAJECTORIES: trajectories})
    first = next(iter(contents.values()))
    write_dataset(
        output,
        pd.DataFrame(rows),
        sample_rate=checked.sample_rate,
        seconds=checked.seconds,
        controls=[control_of(name, line).describe() for name, line in first.items()],
        provenance={"kind": _KIND, "of": wav_folder.name},
    )


def is_import(folder: Path) -> bool:
    """Return whether the folder is a dataset that was imported from MTCRNN's format."""
    if not (folder / "dataset.json").is_file():
        return False
    description = read_json(folder / "dataset.json")
    provenance = description.get("provenance") if isinstance(description, dict) else None
    return isinstance(provenance, dict) and provenance.get("kind") == _KIND


def trajectories_of(dataset: Dataset) -> dict[str, str]:
    """Return, by file name, the file with the clip's trajectories, both relative to the dataset's
    folder. Only imported datasets have any.

    Errors: TextureError when one would lie elsewhere.
    """
    if _TRAJECTORIES not in dataset.metadata:
        return {}
    # The first line of the file has the names.
    for row, name in enumerate(dataset.metadata[_TRAJECTORIES], 2):
        if (
            not isinstance(name, str)
            or PurePosixPath(name).parts[:1] != (_TRAJECTORIES,)
            or ".." in PurePosixPath(name).parts
        ):
            path = shown(dataset.folder / "metadata.csv")
            raise TextureError(
                f"{path}: row {row}: {_TRAJECTORIES}: {name} is not a file in the dataset's folder {_TRAJECTORIES}"
            )
    return dict(zip(dataset.metadata["file_name"], dataset.metadata[_TRAJECTORIES], strict=True))


def mean_over(times: list[float], values: list[float], seconds: float) -> float:
    """Return the mean of the straight lines between the values.

    times: rising, from 0 or before to `seconds` or after.

    >>> mean_over([0, 1, 2], [0.0, 1.0, 1.0], 2.0)
    0.75
    """
    inside = [time for time in times if 0 < time < seconds]
    points = np.array([0.0, *inside, seconds])
    at_points = np.interp(points, times, values)
    area = float(np.sum(np.diff(points) * (at_points[:-1] + at_points[1:]) / 2))
    return round(area / seconds, 6)


def _problem_of_name(control: str) -> str | None:
    if control in _TAKEN:
        return "metadata.csv keeps a column of this name for something else; rename the control"
    if not control.strip() or not control.isprintable():
        return "not a name that can be printed; rename the control"
    return None

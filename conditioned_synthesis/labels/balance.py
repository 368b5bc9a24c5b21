"""Choose a subset in which the labels of one control, or of several together, are evenly
distributed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from conditioned_synthesis.config import Balance, SynthesisConfig
from conditioned_synthesis.data.import_dataset import trajectories_of
from conditioned_synthesis.labels.histogram import bin_edges, bin_of, median_count, most_even
from conditioned_synthesis.labels.outliers import treat_outliers
from conditioned_synthesis.labels.plots import plot_balance
from conditioned_synthesis.labels.table import (
    check_files,
    controls_of,
    label_ranges,
    normalise,
    read_labelled,
)
from texturelib.dataset import write_dataset
from texturelib.errors import UsageError
from texturelib.files import link_or_copy, write_json
from texturelib.nearest import did_you_mean
from texturelib.outputs import Output
from texturelib.progress import progress

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Selection:
    """The clips of a labelled dataset that are kept.

    controls: the balanced ones. metadata: the rows that are kept, sorted by file_name.
    n_labelled: clips of the set. n_outliers: those with a label outside 0..1. before, after: clips
    per bin, an axis per control. ranges: by control, the smallest and largest label of the set.
    """

    controls: tuple[str, ...]
    clips_per_bin: int
    metadata: "pd.DataFrame"
    n_labelled: int
    n_outliers: int
    before: np.ndarray
    after: np.ndarray
    ranges: dict[str, tuple[float, float]]

    def __str__(self) -> str:
        n_kept, n_held = int((self.after > 0).sum()), int((self.before > 0).sum())
        dropped = f"{n_held - n_kept} of {n_held} bins dropped"
        if n_empty := self.before.size - n_held:
            dropped += f", {n_empty} more hold none"
        return (
            f"{self.after.sum()} of {self.n_labelled} clips, {self.clips_per_bin} in each of {n_kept} bins of "
            f"{' x '.join(self.controls)} ({dropped})"
        )


def balance(config: SynthesisConfig, output: Output) -> Selection:
    """Write the balanced subset of `config.labelled` into `output`, a dataset folder, and return
    what was kept.

    The labels stay as they were, or are clipped to 0..1; balance.json has the ranges by which the
    export brings them to 0..1.
    """
    dataset = read_labelled(config.labelled)
    trajectories = trajectories_of(dataset)
    selection = select(dataset.metadata, dataset.controls, config.balance)
    names = selection.metadata["file_name"]
    check_files(dataset, [*names, *(trajectories[name] for name in names if trajectories)])
    described = {control.name: control for control in controls_of(dataset)}
    output.begin()
    for name in progress(names, "linking"):
        link_or_copy(dataset.folder / name, output.folder / name)
        if trajectories:
            link_or_copy(dataset.folder / trajectories[name], output.folder / trajectories[name])
    plot_balance(
        output.folder / "histogram.png",
        selection.before,
        selection.after,
        selection.clips_per_bin,
        [described[name] for name in selection.controls],
        selection.ranges,
    )
    write_json(output.folder / "balance.json", _report(selection))
    write_dataset(
        output.folder,
        selection.metadata,
        sample_rate=dataset.sample_rate,
        seconds=dataset.seconds,
        n_channels=dataset.n_channels,
        controls=dataset.description["controls"],
        seed=config.balance.seed,
        provenance={"kind": "balanced subset", "of": dataset.description.get("provenance")},
    )
    output.finish()
    return selection


def select(metadata: "pd.DataFrame", controls: list[str], settings: Balance) -> Selection:
    """Choose the same number of clips from every bin of the histogram. The choice does not depend
    on the order of the rows.

    Errors: UsageError when there is no such control, all its labels are the same, or no bin holds
    enough clips.
    """
    n_labelled = len(metadata)
    metadata = metadata.sort_values("file_name", ignore_index=True)
    metadata, n_outliers = treat_outliers(metadata, controls, settings.outliers)
    labels = metadata.filter(items=controls)
    ranges = label_ranges(labels)
    normalised = normalise(labels, ranges)
    chosen = _chosen(settings, normalised, ranges)
    shape = (settings.bins,) * len(chosen)
    _check_size(shape)
    cell = np.ravel_multi_index(
        tuple(bin_of(normalised[name].to_numpy(), settings.bins) for name in chosen), shape
    )
    before = np.bincount(cell, minlength=int(np.prod(shape)))
    n = median_count(before) if settings.clips_per_bin == "median" else settings.clips_per_bin
    if n > before.max():
        raise UsageError(
            f"balance.clips_per_bin: {n} is more than any bin of {' x '.join(chosen)} holds; the fullest has {before.max()} clips"
        )
    kept = [
        _draw(np.flatnonzero(cell == index), n, [settings.seed, index])
        for index in np.flatnonzero(before >= n).tolist()
    ]
    after = np.where(before >= n, n, 0)
    return Selection(
        chosen,
        n,
        metadata.iloc[np.sort(np.concatenate(kept))],
        n_labelled,
        n_outliers,
        before.reshape(shape),
        after.reshape(shape),
        ranges,
    )


def _chosen(
    settings: Balance, normalised: "pd.DataFrame", ranges: dict[str, tuple[float, float]]
) -> tuple[str, ...]:
    """Return the controls to balance.

    Errors: UsageError when one does not exist, or all its labels are the same.
    """
    wanted = (
        settings.control if settings.control is not None else most_even(normalised, settings.bins)
    )
    if wanted is None:
        raise UsageError(
            "balance.control: every control has the same label for all clips, so there is no histogram to balance"
        )
    names = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    if not names:
        raise UsageError("balance.control: [] names no control")
    for name in names:
        if name not in ranges:
            raise UsageError(
                f'balance.control: no control "{name}" {did_you_mean(name, list(ranges))}'
            )
        if names.count(name) > 1:
            raise UsageError(f"balance.control: {name} stands there twice")
        if ranges[name][0] == ranges[name][1]:
            raise UsageError(
                f"balance.control: all clips have the same {name}, {ranges[name][0]:g}, so there is no histogram to balance"
            )
    return names


_MOST_BINS = 10**6


def _check_size(shape: Sequence[int]) -> None:
    if np.prod(shape, dtype=float) > _MOST_BINS:
        raise UsageError(
            f"balance.bins: {shape[0]} of each of {len(shape)} controls makes over a million bins; take fewer"
        )


def _draw(rows: np.ndarray, n: int, seed: list[int]) -> np.ndarray:
    return np.random.default_rng(seed).choice(rows, n, replace=False)


def _report(selection: Selection) -> dict[str, Any]:
    """Return the content of balance.json: for every bin that holds clips, its number along each
    control (from 1), and its labels' ends."""
    edges = {
        name: bin_edges(selection.before.shape[0], selection.ranges[name]).tolist()
        for name in selection.controls
    }
    bins = []
    for place in zip(*np.nonzero(selection.before), strict=True):
        ends = {
            name: [edges[name][index], edges[name][index + 1]]
            for name, index in zip(selection.controls, place, strict=True)
        }
        counted = {"n_before": int(selection.before[place]), "n_after": int(selection.after[place])}
        bins.append({"bin": [int(index) + 1 for index in place], "labels": ends, **counted})
    return {
        "controls": list(selection.controls),
        "clips_per_bin": selection.clips_per_bin,
        "n_labelled": selection.n_labelled,
        "n_outliers": selection.n_outliers,
        "n_before": int(selection.before.sum()),
        "n_after": int(selection.after.sum()),
        "bins": bins,
        "ranges": {
            name: {"min": low, "max": high} for name, (low, high) in selection.ranges.items()
        },
    }

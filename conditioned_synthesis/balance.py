"""A subset in which the labels of one control are evenly spread."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from conditioned_synthesis.config import Balance, SynthesisConfig
from conditioned_synthesis.histogram import bin_of, bin_table, most_even
from conditioned_synthesis.labels import label_ranges, normalise, read_labelled
from conditioned_synthesis.plots import plot_balance
from texturelib.dataset import write_dataset
from texturelib.errors import TextureError, UsageError
from texturelib.files import link_or_copy, shown, write_json
from texturelib.nearest import did_you_mean
from texturelib.outputs import Output
from texturelib.progress import progress

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Selection:
    """Which clips of a labelled set are kept.

    metadata: their rows, sorted by file_name. before, after: [bins], clips per bin. ranges: by control, the smallest and
    largest label of the whole set.
    """

    control: str
    clips_per_bin: int
    metadata: "pd.DataFrame"
    before: np.ndarray
    after: np.ndarray
    ranges: dict[str, tuple[float, float]]

    def __str__(self) -> str:
        n_kept = int((self.after > 0).sum())
        return (
            f"{self.after.sum()} of {self.before.sum()} clips, {self.clips_per_bin} in each of {n_kept} bins of {self.control} "
            f"({len(self.after) - n_kept} of {len(self.after)} bins dropped)"
        )


def balance(config: SynthesisConfig, output: Output) -> Selection:
    """Write the balanced subset of `config.labelled` into `output`, a dataset folder. -> what was kept.

    The labels stay as they were; balance.json has the ranges by which they are brought to 0..1.
    """
    dataset = read_labelled(config.labelled)
    selection = select(dataset.metadata, dataset.controls, config.balance)
    for name in selection.metadata["file_name"]:
        if not (dataset.folder / name).is_file():
            raise TextureError(f"{shown(dataset.folder / name)}: no such file, but metadata.csv names it")
    output.begin()
    for name in progress(selection.metadata["file_name"], "linking"):
        link_or_copy(dataset.folder / name, output.folder / name)
    described = {control["name"]: control for control in dataset.description["controls"]}
    plot_balance(
        output.folder / "histogram.png",
        selection.before,
        selection.after,
        selection.clips_per_bin,
        described[selection.control],
        selection.ranges[selection.control],
    )
    write_json(output.folder / "balance.json", _report(selection))
    write_dataset(
        output.folder,
        selection.metadata,
        sample_rate=dataset.sample_rate,
        seconds=dataset.seconds,
        controls=dataset.description["controls"],
        seed=config.balance.seed,
        provenance={"kind": "balanced subset", "of": dataset.description.get("provenance")},
    )
    output.finish()
    return selection


def select(metadata: "pd.DataFrame", controls: list[str], settings: Balance) -> Selection:
    """Choose from every bin of the histogram the same number of clips. What is chosen does not depend on the rows' order.

    Errors: UsageError when there is no such control, all its labels are the same, or no bin holds enough clips.
    """
    metadata = metadata.sort_values("file_name", ignore_index=True)
    labels = metadata.filter(items=controls)
    ranges = label_ranges(labels)
    normalised = normalise(labels, ranges)
    control = settings.control or most_even(normalised, settings.bins)
    if control is None:
        raise UsageError("balance.control: every control has the same label for all clips, so there is no histogram to balance")
    if control not in ranges:
        raise UsageError(f'balance.control: no control "{control}" {did_you_mean(control, controls)}')
    if ranges[control][0] == ranges[control][1]:
        raise UsageError(
            f"balance.control: all clips have the same {control}, {ranges[control][0]:g}, so there is no histogram to balance"
        )
    bins = bin_of(normalised[control].to_numpy(), settings.bins)
    before = np.bincount(bins, minlength=settings.bins)
    # The bins that hold any have at least one clip each, so their median is at least 1.
    n = int(np.median(before[before > 0])) if settings.clips_per_bin == "median" else settings.clips_per_bin
    if n > before.max():
        raise UsageError(
            f"balance.clips_per_bin: {n} is more than any bin of {control} holds; the fullest has {before.max()} clips"
        )
    kept = [_draw(np.flatnonzero(bins == index), n, [settings.seed, index]) for index in np.flatnonzero(before >= n).tolist()]
    after = np.where(before >= n, n, 0)
    return Selection(control, n, metadata.iloc[np.sort(np.concatenate(kept))], before, after, ranges)


def _draw(rows: np.ndarray, n: int, seed: list[int]) -> np.ndarray:
    return np.random.default_rng(seed).choice(rows, n, replace=False)


def _report(selection: Selection) -> dict[str, Any]:
    """-> what balance.json holds."""
    bins = bin_table(len(selection.before), selection.ranges[selection.control])
    bins = bins.assign(n_before=selection.before, n_after=selection.after)
    return {
        "control": selection.control,
        "clips_per_bin": selection.clips_per_bin,
        "n_before": int(selection.before.sum()),
        "n_after": int(selection.after.sum()),
        "dropped_bins": bins["bin"][bins["n_after"] == 0].tolist(),
        "bins": bins.to_dict("records"),
        "ranges": {name: {"min": low, "max": high} for name, (low, high) in selection.ranges.items()},
    }

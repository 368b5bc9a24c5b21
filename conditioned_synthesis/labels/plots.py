"""Plots of histograms of labels."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from conditioned_synthesis.labels.histogram import counts, edges
from conditioned_synthesis.labels.table import label_ranges, normalise, physical
from texturelib.controls import Control, three_figures
from texturelib.pictures import BLUE, GREY, panels, save_picture

if TYPE_CHECKING:
    import pandas as pd


def plot_histograms(
    path: Path, labels: "pd.DataFrame", bins: int, controls: Sequence[Control]
) -> None:
    """Plot the histograms of labels, a panel per control. labels: a column per control."""
    ranges = label_ranges(labels)
    normalised = normalise(labels, ranges)
    figure, axes = panels(len(controls), 3.4, 3.2)
    for control, axis in zip(controls, axes, strict=False):
        _bars(axis, counts(normalised[control.name].to_numpy(), bins), BLUE)
        _label_axes(axis, control, ranges[control.name])
    save_picture(figure, path)


def plot_balance(
    path: Path,
    before: np.ndarray,
    after: np.ndarray,
    clips_per_bin: int,
    controls: Sequence[Control],
    ranges: Mapping[str, tuple[float, float]],
) -> None:
    """Plot the histograms of the balanced controls before and after.

    before, after: clips per bin, an axis per control. ranges: the smallest and largest label.
    """
    figure, axes = panels(len(controls), 6.4, 4.2)
    for index, (control, axis) in enumerate(zip(controls, axes, strict=False)):
        others = tuple(other for other in range(before.ndim) if other != index)
        _bars(axis, before.sum(axis=others), GREY, label=f"labelled: {before.sum()} clips")
        _bars(axis, after.sum(axis=others), BLUE, label=f"balanced: {after.sum()} clips")
        if before.ndim == 1:
            axis.axhline(
                clips_per_bin,
                color="black",
                linewidth=1,
                linestyle="--",
                label=f"{clips_per_bin} clips per bin",
            )
        _label_axes(axis, control, ranges[control.name])
        # Room for the legend, also over a flat histogram.
        axis.set_ylim(0, 1.15 * before.sum(axis=others).max())
        axis.legend(loc="upper center", ncols=3, fontsize="small", frameon=False)
    save_picture(figure, path)


def _bars(axis: Axes, heights: np.ndarray, color: str, label: str | None = None) -> None:
    axis.bar(
        edges(len(heights))[:-1],
        heights,
        width=1 / len(heights),
        align="edge",
        color=color,
        edgecolor="white",
        label=label,
    )


def _label_axes(axis: Axes, control: Control, ends: tuple[float, float]) -> None:
    """Label the axes: the lower one is the label normalised to 0..1, the upper one its value in the
    control's unit."""
    low, high = ends
    axis.set_xlabel(f"label, normalised to 0..1\n({low:.2f} to {high:.2f} as labelled)")
    axis.set_ylabel("clips")
    axis.set_xlim(0, 1)
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    ticks = np.linspace(0, 1, 3 if high > low else 1)
    upper = axis.secondary_xaxis("top")
    upper.set_xticks(
        ticks, [three_figures(value) for value in physical(control, low + ticks * (high - low))]
    )
    # A name from a stranger's file may hold dollar signs, and is no formula.
    title = f"{control.name} ({control.unit})" if control.unit else control.name
    upper.set_xlabel(title, fontweight="bold", parse_math=False)

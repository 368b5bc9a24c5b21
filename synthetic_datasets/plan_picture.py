"""A picture of a plan: how its values spread, one control at a time and in pairs."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

from synthetic_datasets.config import SyntheticConfig
from synthetic_datasets.distributions import DECIMALS
from synthetic_datasets.level import FADER_STEPS, UNITY
from texturelib.controls import Control, three_figures
from texturelib.pictures import BLUE, GREY, grid, save_picture

if TYPE_CHECKING:
    import pandas as pd

_VOLUME = Control("volume", -0.6 * FADER_STEPS * UNITY, 0.6 * FADER_STEPS * (1 - UNITY), "dB")
_COLOURS = LinearSegmentedColormap.from_list("clips", ["white", BLUE, "#0b1f3a"])
_MOST_BARS = 50  # up to so many, each value of a regular grid has a bin to itself

_MOST_CONTROLS = 8  # each is a row and a column

Ends = tuple[float, float]


def plan_picture(path: Path, table: "pd.DataFrame", config: SyntheticConfig) -> None:
    """Write a corner plot: each control's histogram on the diagonal, each pair's below it, the
    volume's at the top right.

    Of more controls than eight, the first eight. table: a row per clip, as `make_plan` makes it.
    Axes below and to the left are sliders, 0..1, those above physical units.
    """
    ranges = config.ranges
    varied = [control for control in config.engine.available if control.name in ranges]
    controls = varied[:_MOST_CONTROLS]
    last = len(controls) - 1
    values = {control.name: table[control.name].to_numpy() for control in controls}
    edges = {name: bin_edges(values[name], ranges[name]) for name in values}
    figure, axes = grid(len(controls), max(2, len(controls)), 1.8, 1.7)
    for axis in axes.flat:
        axis.set_visible(False)
    meshes = []
    for row, y in enumerate(controls):
        _histogram(axes[row, row], y, values[y.name], edges[y.name], ranges[y.name], BLUE)
        _slider(axes[row, row], "x", ranges[y.name], y.name if row == last else None)
        for column, x in enumerate(controls[:row]):
            axis = axes[row, column]
            axis.set_visible(True)
            counts, *_ = np.histogram2d(
                values[x.name], values[y.name], (edges[x.name], edges[y.name])
            )
            meshes.append(axis.pcolormesh(edges[x.name], edges[y.name], counts.T, cmap=_COLOURS))
            _slider(axis, "x", ranges[x.name], x.name if row == last else None)
            _slider(axis, "y", ranges[y.name], y.name if column == 0 else None)
    volumes, ends = table["volume"].to_numpy(), (config.volume.low, config.volume.high)
    _histogram(axes[0, -1], _VOLUME, volumes, bin_edges(volumes, ends), ends, GREY)
    _slider(axes[0, -1], "x", ends, _VOLUME.name)
    if meshes:
        most = max(mesh.get_array().max() for mesh in meshes)
        for mesh in meshes:
            mesh.set_clim(0, most)
        ticks = MaxNLocator(4, integer=True)
        bar = figure.colorbar(
            meshes[0], ax=list(axes[1:, -1]), ticks=ticks, fraction=0.1, aspect=10 * last
        )
        bar.set_label("clips", fontsize="small")
        bar.ax.tick_params(labelsize="x-small")
    asked = (
        ""
        if len(table) == config.distribution.n_clips
        else f" ({config.distribution.n_clips} asked for)"
    )
    if len(controls) < len(varied):
        asked += f"; the first {len(controls)} of {len(varied)} controls"
    kind = config.distribution.type  # type: ignore[attr-defined]
    figure.suptitle(f"{kind}: {len(table)} clips{asked}", fontsize="medium", fontweight="bold")
    save_picture(figure, path)


def bin_edges(values: np.ndarray, ends: Ends) -> np.ndarray:
    """Return the edges of a histogram's bins, [bins + 1]. values: [clips]. ends: the range that
    they are spread over.

    Each value of a regular grid is in the middle of a bin of its own; any other values get equal
    bins from end to end.

    >>> bin_edges(np.array([0.0, 0.5, 1.0, 0.5]), (0.0, 1.0)).tolist()
    [-0.25, 0.25, 0.75, 1.25]
    """
    low, high = ends
    if low == high:
        return np.array([low - 0.05, low + 0.05])
    different = np.unique(values)
    rounding = 1.01 * 10**-DECIMALS
    if 1 < len(different) <= _MOST_BARS and np.allclose(
        different, np.linspace(low, high, len(different)), rtol=0, atol=rounding
    ):
        half = (high - low) / (len(different) - 1) / 2
        return np.linspace(low - half, high + half, len(different) + 1)
    # Powers of two, else a Sobol sequence would look less even than it is; in a pair, no more bins
    # than clips.
    n_bins = next(n_bins for n_bins in (16, 8, 4) if n_bins**2 <= len(values) or n_bins == 4)
    return np.linspace(low, high, n_bins + 1)


def _histogram(
    axis: Axes, control: Control, values: np.ndarray, edges: np.ndarray, ends: Ends, color: str
) -> None:
    """Draw bars, with clips to the right and physical units above."""
    axis.set_visible(True)
    axis.hist(values, edges.tolist(), color=color, edgecolor="white", linewidth=0.5)
    axis.set_xlim(edges[0], edges[-1])
    axis.yaxis.tick_right()
    axis.spines["right"].set_visible(True)
    axis.spines["left"].set_visible(False)
    axis.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    axis.tick_params(labelsize="x-small")
    above = axis.secondary_xaxis("top")
    above.set_xticks(
        _ticks(ends),
        [three_figures(value) for value in control.to_physical(_ticks(ends))],
        fontsize="x-small",
    )
    name = f"{control.name}\n({control.unit})" if control.unit else control.name
    above.set_xlabel(name, fontsize=_size(control.name), fontweight="bold")


def _slider(axis: Axes, side: Literal["x", "y"], ends: Ends, name: str | None) -> None:
    """Mark the ends and the middle of a range on one side; without a name no figures, as the axis
    beside has them."""
    ticks = _ticks(ends)
    axis.set(
        **{
            f"{side}ticks": ticks,
            f"{side}ticklabels": [f"{tick:.3g}" if name else "" for tick in ticks],
        }
    )
    axis.tick_params(axis=side, labelsize="x-small")
    if name:
        (axis.set_xlabel if side == "x" else axis.set_ylabel)(name, fontsize=_size(name))


def _size(name: str) -> float:
    """Return a font size in points at which a long name stays within its own plot."""
    return min(8.5, 140 / len(name))


def _ticks(ends: Ends) -> np.ndarray:
    return np.linspace(*ends, 3 if ends[1] > ends[0] else 1)

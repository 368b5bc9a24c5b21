"""Plots of target and measured controls of synthesisers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from texturelib.pictures import BLUE, GREY, ORANGE, panels, save_picture

if TYPE_CHECKING:
    from conditioned_synthesis.evaluation.results import Response

COLOURS = (BLUE, ORANGE, "#2f855a", "#805ad5", "#b83280", "#00808a", "#975a16", "#4a5568")


def plot_curves(path: Path, responses: "Mapping[str, Response]") -> None:
    """Plot each sound, the curve through them, and the straight line that it becomes, a panel per
    control."""
    figure, axes = panels(len(responses), 3.4, 3.0)
    for axis, (control, found) in zip(axes, responses.items(), strict=False):
        order = np.argsort(found.target, kind="stable")
        axis.plot(found.target, found.measured, ".", color=GREY, markersize=5, label="a sound")
        axis.plot(found.target[order], found.fitted[order], color=BLUE, label="curve")
        if found.curve is not None:
            ends = found.fitted[order][[0, -1]]
            axis.plot(
                found.target[order][[0, -1]],
                np.sort(ends),
                "--",
                color=ORANGE,
                linewidth=1,
                label="with the new slider",
            )
        _name_axes(axis, control)
    axes[0].set_ylabel("measured in the sound")
    axes[0].legend(frameon=False, fontsize=8)
    save_picture(figure, path)


def plot_target_measured(
    path: Path,
    points: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]],
    names: Sequence[str],
) -> None:
    """Plot measured against target values, with lines through the means, a panel per control.

    points: by control and synthesiser, the target and the measured values, [sounds] each. names: of
    all synthesisers, which determine the colours.
    """
    figure, axes = panels(len(points), 3.8, 3.4)
    colours = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}
    for axis, (control, of_control) in zip(axes, points.items(), strict=False):
        ends = [
            min(target.min() for target, _ in of_control.values()),
            max(target.max() for target, _ in of_control.values()),
        ]
        axis.plot(ends, ends, color="black", linewidth=0.8, linestyle=":", label="on target")
        for index, (name, (target, measured)) in enumerate(of_control.items()):
            axis.plot(target, measured, ".", color=colours[name], markersize=3, alpha=0.45)
            places = np.unique(target[np.isfinite(measured)])
            means = [np.nanmean(measured[target == place]) for place in places]
            # The first lies on top, and the wider ones of those beneath show.
            axis.plot(
                places,
                means,
                color=colours[name],
                linewidth=1.4 + 0.4 * index,
                alpha=0.85,
                zorder=5 - index,
                label=name,
            )
        _name_axes(axis, control)
    axes[0].set_ylabel("measured in the sound")
    figure.legend(
        *axes[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=4,
        frameon=False,
        fontsize=8,
    )
    save_picture(figure, path)


def _name_axes(axis: Axes, control: str) -> None:
    axis.set_xlabel(f"{control}, target", parse_math=False)  # a control may be called "$_"
    axis.tick_params(labelsize=8)

"""The picture of the robustness graph."""

from pathlib import Path
from typing import Any

from conditioned_synthesis.robustness.noise import ALL
from conditioned_synthesis.robustness.quality import IN_WORDS
from texturelib.pictures import panels, save_picture


def plot_robustness(path: Path, table: Any) -> None:
    """Plot quality over the signal-to-noise ratio, a panel per measure, a line per representation;
    thin ones where the noise is on one channel alone. table: as `command.COLUMNS` says."""
    measures = list(dict.fromkeys(table["measure"]))
    names = list(dict.fromkeys(table["representation"]))
    figure, axes = panels(len(measures), 5.6, 3.8)
    for axis, measure in zip(axes, measures, strict=False):
        of_measure = table[table["measure"] == measure]
        for (name, part), rows in of_measure.groupby(["representation", "part"], sort=False):
            ordered = rows.sort_values("snr_db")
            is_all = part == ALL
            axis.errorbar(
                ordered["snr_db"],
                ordered["mean"],
                ordered["deviation"],
                color=f"C{names.index(name) % 10}",
                linewidth=1.6 if is_all else 0.7,
                linestyle="-" if is_all else ("--" if "magnitude" in str(part) else ":"),
                label=name if is_all else f"{name}: {part}",
                capsize=1.5,
            )
        axis.set(xlabel="noise: signal-to-noise ratio, dB", ylabel=IN_WORDS[measure])
    axes[0].legend(frameon=False, fontsize=6)
    save_picture(figure, path)

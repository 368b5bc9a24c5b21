"""A picture of a set of recordings: how long and how loud they are, and what they are tagged
with."""

import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from texturelib.controls import three_figures

if TYPE_CHECKING:
    import pandas as pd

_MOST_TAGS = 20


def overview_picture(
    path: Path, segments: "pd.DataFrame", durations: Sequence[float], tags: Sequence[Sequence[str]]
) -> None:
    """Draw a picture of a set of recordings. segments: metadata.csv. durations: of each recording
    that has segments, in seconds; tags: of each of these."""
    from texturelib.pictures import BLUE, GREY, ORANGE, panels, save_picture

    counted = Counter(tag for of_one in tags for tag in of_one).most_common(_MOST_TAGS)
    figure, axes = panels(4 if counted else 3, width=3.6, height=3.2)
    shortest, longest = max(min(durations), 1e-3), max(durations)
    is_wide = longest > 3 * shortest
    axes[0].hist(
        durations,
        bins=np.geomspace(shortest, longest * 1.001, 25).tolist() if is_wide else 20,
        color=BLUE,
    )
    if is_wide:
        ticks = np.geomspace(shortest, longest, 4)
        axes[0].set_xscale("log")
        axes[0].set_xticks(ticks, [three_figures(tick) for tick in ticks])
        axes[0].minorticks_off()
    axes[0].set(title=f"{len(durations)} recordings", xlabel="length (s)", ylabel="recordings")
    axes[1].hist(segments["level_dbfs"], bins=30, color=ORANGE)
    axes[1].set(title=f"{len(segments)} segments", xlabel="level (dBFS)", ylabel="segments")
    per_recording = segments["source"].value_counts().to_numpy()
    axes[2].plot(
        np.arange(1, len(per_recording) + 1),
        np.cumsum(per_recording) / len(segments),
        color=GREY,
        marker=".",
    )
    axes[2].set(
        title="how even they are",
        xlabel="recordings, the largest first",
        ylabel="share of the segments",
        ylim=(0, 1.02),
    )
    if counted:
        names, counts = zip(*reversed(counted), strict=True)
        axes[3].barh(range(len(names)), counts, color=BLUE)
        shown_names = [" ".join(name.split())[:24] for name in names]
        axes[3].set_yticks(range(len(names)), shown_names, fontsize="x-small", parse_math=False)
        axes[3].set(title="tags", xlabel="recordings")
    with warnings.catch_warnings():
        # Tags are in any script; boxes do for what the font lacks.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        save_picture(figure, path)

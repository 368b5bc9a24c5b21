"""Describe the labels of a dataset: statistics, histograms, correlations, and a page that shows
them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from conditioned_synthesis.config import SynthesisConfig
from conditioned_synthesis.labels.histogram import (
    bin_table,
    counts,
    evenness,
    most_even,
    n_balanced,
)
from conditioned_synthesis.labels.page import write_analysis_page
from conditioned_synthesis.labels.plots import plot_histograms
from conditioned_synthesis.labels.table import controls_of, label_ranges, normalise, read_labelled
from texturelib.files import write_json, write_table
from texturelib.outputs import Output

if TYPE_CHECKING:
    import pandas as pd


def analyse(config: SynthesisConfig, output: Output) -> dict[str, Any]:
    """Write statistics.json, histograms.csv, histograms.png, correlations.csv and index.html, a
    page of all these, into `output`; return the statistics.

    Only the labels are read, not the sounds.
    """
    dataset = read_labelled(config.labelled)
    labels = dataset.metadata.filter(items=dataset.controls)
    controls = controls_of(dataset)
    bins = config.analyse.bins
    found, correlations = statistics(labels, bins), labels.corr()
    output.begin()
    write_json(output.folder / "statistics.json", found)
    write_table(output.folder / "histograms.csv", histograms(labels, bins))
    write_table(output.folder / "correlations.csv", correlations.reset_index(names="control"))
    plot_histograms(output.folder / "histograms.png", labels, bins, controls)
    # Relative, so that the page is the same from wherever the command is called.
    source = Path(os.path.relpath(config.labelled, output.folder)).as_posix()
    write_analysis_page(
        output.folder / "index.html",
        found,
        correlations,
        controls,
        source=source,
        seconds=dataset.seconds,
    )
    output.finish()
    return found


_QUARTILES = {"quartile_1": 0.25, "median": 0.5, "quartile_3": 0.75}


def statistics(labels: "pd.DataFrame", bins: int) -> dict[str, Any]:
    """Return the content of statistics.json.

    labels: a column per control.

    std: the sample's (divided by n - 1), 0 for a single clip. outside: the share of labels outside
    0..1; n_outside: the clips with any such label. evenness: of the histogram of the labels
    normalised to 0..1 by their own smallest and largest, 1 where it is flat. n_balanced: how many
    clips stay when each of its bins keeps the median count.
    """
    normalised = normalise(labels, label_ranges(labels))
    heights = {str(name): counts(normalised[name].to_numpy(), bins) for name in labels.columns}
    outside = (labels < 0) | (labels > 1)
    return {
        "n_clips": len(labels),
        "n_outside": int(outside.any(axis=1).sum()),
        "bins": bins,
        "recommended_control": most_even(normalised, bins),
        "controls": {
            str(name): {
                "min": float(labels[name].min()),
                "max": float(labels[name].max()),
                "mean": float(labels[name].mean()),
                "std": _sample_std(labels[name]),
                **{key: float(labels[name].quantile(share)) for key, share in _QUARTILES.items()},
                "outside": float(outside[name].mean()),
                "normalised_mean": float(normalised[name].mean()),
                "normalised_std": _sample_std(normalised[name]),
                "evenness": evenness(heights[str(name)]),
                "n_balanced": n_balanced(heights[str(name)]),
            }
            for name in labels.columns
        },
    }


def histograms(labels: "pd.DataFrame", bins: int) -> "pd.DataFrame":
    """Return a row per control and bin, with the bin's edges and the number of its clips.

    labels: a column per control.
    """
    import pandas as pd

    ranges = label_ranges(labels)
    normalised = normalise(labels, ranges)
    tables = []
    for name, ends in ranges.items():
        table = bin_table(bins, ends).assign(n_clips=counts(normalised[name].to_numpy(), bins))
        table.insert(0, "control", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _sample_std(values: "pd.Series") -> float:
    return float(np.std(values.to_numpy(), ddof=1)) if len(values) > 1 else 0.0

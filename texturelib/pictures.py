"""Plots with one style, written whole or not at all."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter, ScalarFormatter

from texturelib.audio import mix_down
from texturelib.files import whole_file

BLUE, ORANGE, GREY = "#2b6cb0", "#dd6b20", "#a0aec0"


def grid(rows: int, columns: int, width: float, height: float) -> tuple[Figure, np.ndarray]:
    """Return independent plots as [rows, columns] Axes. Sizes in inches per plot."""
    figure, axes = plt.subplots(
        rows, columns, figsize=(width * columns, height * rows), squeeze=False, layout="constrained"
    )
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


MOST_PANELS = 24
"""The most panels in a picture: nobody looks at more, and a thousand take an hour to draw."""


def panels(n_panels: int, width: float = 3.2, height: float = 2.8) -> tuple[Figure, list[Axes]]:
    """Return a row of independent plots, wrapped after four; with more than `MOST_PANELS`, only
    the first ones, and the picture says so. Sizes in inches per panel."""
    n_wanted, n_panels = n_panels, min(n_panels, MOST_PANELS)
    columns = min(n_panels, 4)
    rows = -(-n_panels // columns)
    figure, axes = grid(rows, columns, width, height)
    for axis in axes.flat[n_panels:]:
        axis.set_visible(False)
    if n_panels < n_wanted:
        figure.suptitle(f"the first {n_panels} of {n_wanted}", fontsize="medium")
    return figure, list(axes.flat[:n_panels])


def save_picture(figure: Figure, path: Path) -> None:
    """Save a picture. Texts are shown as they are: a control or a recording may be called "$_"."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    for axis in figure.axes:
        for scale in (axis.xaxis, axis.yaxis):
            # Some axes show an exponent.
            is_number = isinstance(scale.get_major_formatter(), ScalarFormatter | LogFormatter)
            for label in scale.get_ticklabels(which="both"):
                label.set_parse_math(is_number)
    with whole_file(path) as part:
        figure.savefig(part, dpi=110)
    plt.close(figure)


def spectrogram_picture(path: Path, samples: np.ndarray, sample_rate: int) -> None:
    """Save a small picture of one clip: frequency (log, from 50 Hz) over time.

    samples: [samples] or [samples, channels].
    """
    figure, (axis,) = panels(1, 2.4, 1.5)
    draw_spectrogram(axis, samples, sample_rate, n_fft=1024, n_overlap=768)
    axis.set_yscale("log")
    axis.set_ylim(50, sample_rate / 2)
    axis.set_axis_off()
    save_picture(figure, path)


def draw_spectrogram(
    axis: Axes, samples: np.ndarray, sample_rate: int, n_fft: int, n_overlap: int
) -> None:
    """Draw a spectrogram: frequency in Hz over time in seconds, with a range of 100 dB.

    samples: [samples] or [samples, channels], whose mix is drawn.
    """
    colours = matplotlib.colormaps["magma"].with_extremes(bad="black")
    # Digital silence is at minus infinity decibels, and drawn black.
    with np.errstate(divide="ignore"):
        axis.specgram(
            mix_down(samples),
            NFFT=n_fft,
            Fs=sample_rate,
            noverlap=n_overlap,
            cmap=colours,
            scale="dB",
            vmin=-140,
            vmax=-40,
        )

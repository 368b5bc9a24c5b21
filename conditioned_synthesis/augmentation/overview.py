"""A picture of an augmented set: spectrograms of clips over size and density."""

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from texturelib.pictures import draw_spectrogram, grid, save_picture

if TYPE_CHECKING:
    import pandas as pd

_LOWEST_HZ = 50.0
_TICKS = {100: "100 Hz", 1000: "1 kHz", 10000: "10 kHz"}


def overview_picture(path: Path, folder: Path, table: "pd.DataFrame", sample_rate: int) -> None:
    """Save spectrograms of the clips that are nearest to the ends and the middle of the ranges of
    size and density, all of the recording of which there are most.

    Args:
        folder: of the dataset, whose clips are written.
        table: its metadata.
    """
    own = table[table["source"] == table["source"].mode()[0]]
    places = np.log(np.asarray(own[["slow_down", "layers"]], dtype=float))
    low, width = places.min(axis=0), np.ptp(places, axis=0)
    sizes, densities = ((0.0, 0.5, 1.0) if each > 0 else (0.5,) for each in (width[0], width[1]))
    figure, axes = grid(len(densities), len(sizes), 3.0, 2.0)
    shares = (places - low) / np.where(width > 0, width, 1.0)
    for axis, (density, size) in zip(axes.flat, product(reversed(densities), sizes), strict=True):
        # Along an axis on which nothing varies, all are equally far.
        nearest = int(((shares - (size, density)) ** 2)[:, width > 0].sum(axis=1).argmin())
        row = own.iloc[nearest]
        samples, _ = soundfile.read(folder / row["file_name"], dtype="float32")
        n_fft = min(1024, 2 ** (len(samples).bit_length() - 3))
        draw_spectrogram(axis, samples, sample_rate, n_fft=n_fft, n_overlap=3 * n_fft // 4)
        axis.set_yscale("log")
        axis.set_yticks([*_TICKS], labels=[*_TICKS.values()])
        axis.minorticks_off()
        axis.set_ylim(_LOWEST_HZ, sample_rate / 2)
        axis.set_title(
            f"slow-down {row['slow_down']:.2f}, layers {row['layers']}", fontsize="small"
        )
    save_picture(figure, path)

"""Plots of trainings and of generated sounds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill

import numpy as np

from conditioned_synthesis.instrument.automation import Automation
from texturelib.pictures import BLUE, GREY, draw_spectrogram, grid, panels, save_picture


def plot_history(path: Path, history: Sequence[Mapping[str, float]], loss_in_words: str) -> None:
    """Plot the losses of a training.

    history: a row per checkpoint, with step and, where there are such losses, train_loss and
    validation_loss.
    """
    figure, (axis,) = panels(1, 5.0, 3.2)
    steps = [row["step"] for row in history]
    for name, colour, label in (
        ("train_loss", GREY, "training"),
        ("validation_loss", BLUE, "held-out clips"),
    ):
        losses = [row[name] for row in history if name in row]
        if losses:
            axis.plot(steps, losses, "o-", markersize=3, color=colour, label=label)
    axis.set(xlabel="step", ylabel=fill(f"loss, {loss_in_words}", 30))
    if axis.lines:
        axis.legend(frameon=False)
    save_picture(figure, path)


def plot_sound(
    path: Path, samples: np.ndarray, sample_rate: int, automations: Mapping[str, Automation]
) -> None:
    """Plot the controls above the spectrogram of the sound. automations: by control, 0..1."""
    figure, axes = grid(2, 1, 6.4, 2.2)
    above, below = axes[:, 0]
    seconds = len(samples) / sample_rate
    times = np.linspace(0, seconds, 500)
    for name, automation in automations.items():
        above.plot(times, automation.at(times), label=name)
    above.set(xlim=(0, seconds), ylim=(-0.03, 1.03), ylabel="controls")
    if automations:
        legend = above.legend(
            frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0)
        )
        for text in legend.get_texts():
            text.set_parse_math(False)  # a control may be called "$_"
    draw_spectrogram(below, samples, sample_rate, n_fft=512, n_overlap=256)
    below.set(xlim=(0, seconds), xlabel="seconds", ylabel="Hz")
    save_picture(figure, path)

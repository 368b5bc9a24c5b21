"""Plots of trainings and labels."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator

from domain_adaptation.evaluation.laws import LabelsAtSpeeds
from domain_adaptation.evaluation.scores import Scores
from texturelib.pictures import BLUE, GREY, ORANGE, panels, save_picture


def loss_plot(
    path: Path, history: Sequence[Mapping[str, float]], kept_epoch: int, loss_name: str
) -> None:
    """Plot the losses of a training.

    history: a row per epoch (epoch, train_loss, validation_loss).
    """
    figure, (axis,) = panels(1, 5.5, 3.2)
    epochs = [row["epoch"] for row in history]
    marker = "o" if len(epochs) == 1 else ""
    axis.plot(
        epochs, [row["train_loss"] for row in history], marker=marker, color=GREY, label="training"
    )
    axis.plot(
        epochs,
        [row["validation_loss"] for row in history],
        marker=marker,
        color=BLUE,
        label="validation",
    )
    axis.axvline(kept_epoch + 1, color=ORANGE, linestyle=":", label=f"kept: epoch {kept_epoch + 1}")
    values = [row[name] for row in history for name in ("train_loss", "validation_loss")]
    if min(values) > 0 and max(values) > 10 * min(values):
        axis.set_yscale("log")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set(xlabel="epoch", ylabel=loss_name)
    axis.legend(frameon=False)
    save_picture(figure, path)


def truth_plot(path: Path, truth: np.ndarray, labels: np.ndarray, scores: Scores) -> None:
    """Plot labels against true controls, a panel per control.

    truth, labels: [clips, controls].
    """
    figure, axes = panels(truth.shape[1])
    for index, (axis, (name, score)) in enumerate(zip(axes, scores.items(), strict=False)):
        low = min(truth[:, index].min(), labels[:, index].min())
        high = max(truth[:, index].max(), labels[:, index].max())
        axis.plot([low, high], [low, high], color=ORANGE, linewidth=1)
        axis.plot(truth[:, index], labels[:, index], ".", color=BLUE, markersize=3, alpha=0.4)
        r2 = "" if score["r2"] is None else f", R2 {score['r2']:.3f}"
        axis.set(xlabel="asked for", title=f"{name}\nerror {score['mae']:.4f}{r2}")
    axes[0].set_ylabel("read by the network")
    save_picture(figure, path)


def distribution_plot(
    path: Path, before: np.ndarray, after: np.ndarray, controls: Sequence[str]
) -> None:
    """Plot the distributions of labels without and with adaptation, a panel per control, with 0 and
    1 marked.

    before, after: [clips, controls].
    """
    figure, axes = panels(len(controls))
    for index, (axis, name) in enumerate(zip(axes, controls, strict=False)):
        both = np.concatenate([before[:, index], after[:, index], [0.0, 1.0]])
        bins = np.linspace(both.min(), both.max(), 41).tolist()
        axis.axvspan(0, 1, color=GREY, alpha=0.15, linewidth=0)
        axis.hist(before[:, index], bins, color=GREY, label="before adaptation")
        axis.hist(after[:, index], bins, color=BLUE, alpha=0.6, label="after")
        axis.set(xlabel=name)
    axes[0].set_ylabel("clips")
    axes[0].legend(frameon=False, fontsize=8)
    save_picture(figure, path)


def slow_down_plot(
    path: Path,
    at_speeds: Mapping[str, LabelsAtSpeeds],
    wanted: Mapping[str, float],
    controls: Sequence[str],
) -> None:
    """Plot the mean label against the slow-down, and the slope of the law, a panel per control with
    a law.

    at_speeds: "before" and "after" -> labels of the same clips by slow-down. wanted: slope by
    control, of those with a law.
    """
    figure, axes = panels(len(wanted))
    for axis, (name, slope) in zip(axes, wanted.items(), strict=False):
        index = list(controls).index(name)
        for when, colour in (("before", GREY), ("after", BLUE)):
            factors = np.array(list(at_speeds[when]))
            means = np.array([labels[:, index].mean() for labels in at_speeds[when].values()])
            axis.plot(factors, means, "o-", color=colour, label=when, markersize=4)
            middle = means.mean() - slope * np.log(factors).mean()
            axis.plot(factors, middle + slope * np.log(factors), "--", color=ORANGE, linewidth=1)
        axis.set(xscale="log", xlabel=f"times slower\n{name}")
        axis.set_xticks([0.7, 1.0, 1.4], ["0.7", "1", "1.4"])
        axis.minorticks_off()
    axes[0].plot([], [], "--", color=ORANGE, label="by the law")
    axes[0].set_ylabel("mean label")
    axes[0].legend(frameon=False, fontsize=8)
    save_picture(figure, path)


_MOST_SOURCES = 12


def source_plot(
    path: Path, labels: np.ndarray, sources: np.ndarray, controls: Sequence[str]
) -> None:
    """Plot a box of labels per recording, of the recordings with the most clips, a panel per
    control.

    labels: [clips, controls]. sources: [clips], the recording of each clip.
    """
    names, counts = np.unique(sources, return_counts=True)
    chosen = sorted(names[np.argsort(-counts, kind="stable")[:_MOST_SOURCES]], reverse=True)
    figure, axes = panels(len(controls), 3.2, 1.2 + 0.3 * len(chosen))
    for index, (axis, name) in enumerate(zip(axes, controls, strict=False)):
        axis.axvspan(0, 1, color=GREY, alpha=0.15, linewidth=0)
        axis.boxplot(
            [labels[sources == source, index] for source in chosen],
            orientation="horizontal",
            showfliers=False,
        )
        axis.set(
            xlabel=name, yticklabels=[_short(source) if index == 0 else "" for source in chosen]
        )
    save_picture(figure, path)


def _short(name: str, most: int = 24) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"

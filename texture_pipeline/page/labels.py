"""The page's parts on labels: how they were learnt, how right they are, and what became of
them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from texture_pipeline.page.album import Album
from texture_pipeline.page.config import PageConfig
from texture_pipeline.page.evaluation import PICTURES, evaluation_in, report_parts
from texture_pipeline.truth import HiddenTruth, hidden_truth
from texturelib.dataset import read_dataset
from texturelib.evenly import evenly_spread
from texturelib.files import read_json, read_text
from texturelib.outputs import fingerprint, inputs_of

_CLIPS_PER_CONTROL = 7


def networks(config: PageConfig, album: Album) -> dict[str, Any] | None:
    if config.adaptation is None:
        return None
    folders = {name: config.adaptation / name for name in ("extractor", "classifier", "adapted")}
    return {
        "metrics": {name: read_json(folder / "metrics.json") for name, folder in folders.items()},
        "loss_plots": {
            name: album.picture(folder / "loss.png")
            for name, folder in folders.items()
            if (folder / "loss.png").exists()
        },
        "method_in_words": config.method,
        "test_plot": album.picture(folders["extractor"] / "test_clips.png"),
    }


def labels(config: PageConfig, album: Album) -> dict[str, Any] | None:
    if config.adaptation is None:
        return None
    folder = config.adaptation / "labels"
    dataset = read_dataset(folder)
    truth = hidden_truth(folder, config.recordings) if config.recordings else None
    if truth and not truth.controls:
        truth = None  # the labelled controls are fixed in the recordings
    by_control = {}
    for name in dataset.controls:
        order = dataset.metadata[name].to_numpy().argsort(kind="stable")
        chosen = [int(order[place]) for place in evenly_spread(len(order), _CLIPS_PER_CONTROL)]
        by_control[name] = [
            {
                **album.clip(dataset, index),
                "label": _label_in_words(dataset.metadata.iloc[index], name),
            }
            for index in chosen
        ]
    summary = read_json(folder / "summary.json")
    slopes = summary["slow_down"]["slopes"]
    return {
        "summary": summary,
        "slopes": slopes,
        "mixing": summary.get("mixing", {}).get("slopes", {}),
        "by_recording": _by_recording(summary.get("recordings", [])),
        "steepest": max(slopes, key=lambda name: abs(slopes[name]["by_the_law"]), default=None),
        "slow_down": album.picture(folder / "slow_down.png") if slopes else None,
        "distributions": album.picture(folder / "distributions.png"),
        "by_source": album.picture(folder / "by_source.png"),
        "by_control": by_control,
        "errors": truth.errors() if truth else None,
        "truth_plot": _truth_plot(truth, config.output) if truth else None,
    }


def _by_recording(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return, by recording, the controls that cannot be told from it, grouped by why not.

    rows: of `recordings` in the summary of the labels.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        reasons = found.setdefault(row["source"], {})
        if row["why_not"]:
            reasons.setdefault(row["why_not"], []).append(row["control"])
    return [
        {
            "source": source,
            "unknown": [{"why": why, "controls": names} for why, names in reasons.items()],
        }
        for source, reasons in found.items()
    ]


def _label_in_words(row: Mapping[str, Any], control: str) -> str:
    """Return a label in words. row: of the labels' table."""
    interval = row.get(f"{control}_interval")
    return f"{row[control]:.3f}" + ("" if interval is None else f" ± {interval:.2f}")


def _truth_plot(truth: HiddenTruth, page: Path) -> str:
    from texturelib.pictures import BLUE, GREY, ORANGE, panels, save_picture

    figure, axes = panels(len(truth.controls))
    for index, (axis, name) in enumerate(zip(axes, truth.controls, strict=False)):
        for labels, colour, when in ((truth.before, GREY, "before"), (truth.after, BLUE, "after")):
            axis.plot(
                truth.truth[:, index],
                labels[:, index],
                ".",
                color=colour,
                markersize=3,
                alpha=0.5,
                label=when,
            )
        ends = [truth.truth[:, index].min(), truth.truth[:, index].max()]
        axis.plot(ends, ends, color=ORANGE, linewidth=1.5, label="right")
        axis.set(xlabel=f"true {name}")
    axes[0].set_ylabel("label")
    axes[0].legend(frameon=False, fontsize=8, markerscale=3)
    save_picture(figure, page / "pictures" / "hidden_truth.png")
    return "pictures/hidden_truth.png"


def evaluation(config: PageConfig, album: Album) -> dict[str, Any] | None:
    folder = evaluation_in(config.adaptation) if config.adaptation else None
    if folder is None:
        return None
    made_from = inputs_of(folder)
    inputs = (
        ("synthetic clips", config.synthetic, made_from.get("synthetic")),
        ("recorded clips", config.real, made_from.get("real")),
    )
    return {
        "parts": report_parts(read_text(folder / "report.md")),
        "pictures": {
            name: album.picture(folder / name) for name in PICTURES if (folder / name).exists()
        },
        "changed_since": [
            words for words, path, then in inputs if path and then and then != fingerprint(path)
        ],
    }


def synthesis(config: PageConfig, album: Album) -> dict[str, Any] | None:
    folder = config.synthesis
    if folder is None:
        return None
    parameter_files = sorted((folder / "mtcrnn").rglob("*.params"))
    return {
        "statistics": read_json(folder / "analysis" / "statistics.json"),
        "balance": read_json(folder / "balanced" / "balance.json"),
        "pictures": [
            album.picture(path)
            for name in ("analysis", "balanced")
            for path in sorted((folder / name).glob("*.png"))
        ],
        "n_exported": len(parameter_files),
        "example": read_text(parameter_files[0]),
        "example_name": parameter_files[0].name,
    }

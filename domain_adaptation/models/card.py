"""The model card, README.md in a model folder: what the model is, what it was trained on, how good
it is, and what it should not be used for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain_adaptation.models.model_folder import ModelSpec
from texturelib.learning.model_card import write_card
from texturelib.markdown import controls_table, plain

_TITLES = {"extractor": "Extractor", "adapted": "Adapted extractor"}


def write_model_card(folder: Path, kind: str, spec: ModelSpec, metrics: Mapping[str, Any]) -> None:
    """Write the card of a trained extractor.

    kind: "extractor" or "adapted". metrics: what metrics.json says.
    """
    scores = _extractor_scores(metrics) if kind == "extractor" else _adaptation_scores(metrics)
    _write(folder, _TITLES[kind], spec, scores)


def write_imported_card(folder: Path, spec: ModelSpec, name: str) -> None:
    """Write the card of an imported extractor. name: of the published folder."""
    source = [
        f"Imported from {plain(name)}, published with the thesis (GPL-3.0). How sure its labels are is not known.",
        "",
    ]
    _write(folder, f"{_TITLES[folder.name]} of the thesis", spec, source)


def _write(folder: Path, title: str, spec: ModelSpec, scores: list[str]) -> None:
    lines = [
        f"# {title}",
        "",
        f"Reads {plain(', '.join(spec.names))} from clips of {spec.seconds:g} s at {spec.sample_rate} Hz.",
        "",
        *controls_table(spec.controls),
        "",
        "```",
        "domain-adaptation label --model THIS_FOLDER --audio SOUNDS --output labels.csv",
        "```",
        "",
        *scores,
        "## Limits",
        "",
        "Labels are not held to 0..1: outside of what was trained on (`used` in the controls' description) they are guesses, and "
        "intervals hold for clips like those that were trained on, not for others. A sound of another kind gets labels too; they "
        "mean nothing.",
        "",
    ]
    write_card(folder, lines)


def write_classifier_card(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Write the card of a classifier. metrics: what metrics.json says."""
    lines = [
        "# Classifier",
        "",
        "Tells real clips from synthetic ones by what the extractor's encoder makes of them; `adda_frozen` adapts against it.",
        "",
        f"{metrics['accuracy']['test']:.1%} of {metrics['n_clips']['test']} unseen clips rightly told apart. Kept: epoch "
        f"{metrics['kept_epoch']}.",
        "",
    ]
    write_card(folder, lines)


def _extractor_scores(metrics: Mapping[str, Any]) -> list[str]:
    rows = []
    for name, score in metrics["scores"]["test"].items():
        interval = metrics["intervals"].get(name)
        r2 = "" if score["r2"] is None else f"{score['r2']:.3f}"
        rows.append(
            f"| {plain(name)} | {score['mae']:.4f} | {score['mae_of_the_mean']:.4f} | {r2} "
            + (
                f"| {interval['mean_half_width']:.3f} | {interval['coverage']:.1%} |"
                if interval
                else "| | |"
            )
        )
    return [
        f"On {metrics['n_clips']['test']} synthetic clips that it was not trained on (seed {metrics['seed']}, epoch "
        f"{metrics['kept_epoch']} of its training, {metrics['n_parameters']} parameters):",
        "",
        "| control | mean absolute error | always the mean | R2 | 90 % interval, plus or minus | truths inside |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
    ]


def _adaptation_scores(metrics: Mapping[str, Any]) -> list[str]:
    inside = metrics["share_of_labels_within_0_1"]
    return [
        f"Method `{metrics['method']}`, on {metrics['n_clips']['train']} real clips without labels, seed {metrics['seed']}: "
        + ("kept" if metrics["is_kept"] else "not kept")
        + f" ({plain(metrics['why'])}).",
        "",
        f"Labels of the real clips within 0..1: {inside['before']:.1%} before, {inside['after']:.1%} after.",
        "",
    ]

"""The model card, README.md in the folder of a synthesiser: what it is, what it learnt from, how to
play it, and what not to expect."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conditioned_synthesis.instrument.instrument import ModelSpec
from texturelib.learning.model_card import write_card
from texturelib.markdown import controls_table, in_channels, plain


def write_trained_card(folder: Path, spec: ModelSpec, metrics: Mapping[str, Any]) -> None:
    """Write the card of a trained synthesiser. metrics: what metrics.json says."""
    _write(folder, spec, [f"{training_in_words(metrics)}.", "", f"{loss_in_words(metrics)}."])


def training_in_words(metrics: Mapping[str, Any]) -> str:
    """Return what a synthesiser was made of, as a sentence without its end.

    >>> n_clips = {"train": 90, "validation": 10}
    >>> made = {"step": 400, "n_clips": n_clips, "hours": 0.1, "n_parameters": 84480, "megabytes": 0.34}
    >>> training_in_words(made)
    'Trained for 400 steps on 90 clips (0.1 h with the 10 that were held out), 84480 parameters, 0.34 MB'
    >>> training_in_words(made | {"n_parameters": 0, "megabytes": 8.6})
    'Made of 90 clips (0.1 h with the 10 that were held out), which it holds, 8.6 MB'
    """
    n_clips, n_parameters = metrics["n_clips"], metrics["n_parameters"]
    clips = f"{n_clips['train']} clips ({metrics['hours']:g} h with the {n_clips['validation']} that were held out)"
    size = f"{metrics['megabytes']:g} MB"
    if not n_parameters:
        return f"Made of {clips}, which it holds, {size}"
    return f"Trained for {metrics['step']} steps on {clips}, {n_parameters} parameters, {size}"


def loss_in_words(metrics: Mapping[str, Any]) -> str:
    """Return the loss on the held-out clips, as a sentence without its end.

    >>> loss_in_words({"validation_loss": 0.71234, "loss_in_words": "of texture statistics"})
    'Loss on the clips held out: 0.7123 of texture statistics'
    >>> loss_in_words({"loss_in_words": "of texture statistics"})
    'There is no loss on the clips held out'
    """
    if "validation_loss" not in metrics:
        return "There is no loss on the clips held out"
    return (
        f"Loss on the clips held out: {metrics['validation_loss']:.4f} {metrics['loss_in_words']}"
    )


def write_linear_card(folder: Path, spec: ModelSpec) -> None:
    straight = [slider.name for slider in spec.sliders if slider.curve]
    what = (
        f"made linear: {plain(', '.join(straight))}"
        if straight
        else "as they were: none could be made linear"
    )
    _write(
        folder,
        spec,
        [f"The weights are those of the synthesiser beside it; its sliders were {what}."],
    )


def write_imported_card(folder: Path, spec: ModelSpec, name: str) -> None:
    """Write the card of an imported synthesiser. name: of the file that it was imported from."""
    _write(
        folder, spec, [f"Imported from {plain(name)}; what it was trained on is not known here."]
    )


def _write(folder: Path, spec: ModelSpec, story: list[str]) -> None:
    ranges = [(slider.low, slider.high) for slider in spec.sliders]
    n_controls = {0: "no controls.", 1: "1 control:"}.get(len(ranges), f"{len(ranges)} controls:")
    table = controls_table([slider.control for slider in spec.sliders], ranges) if ranges else []
    example = f" --control {shlex.quote(spec.sliders[0].name)}=0.5" if ranges else ""
    lines = [
        f"# Synthesiser of type {spec.synthesiser.type}",  # type: ignore[attr-defined]
        "",
        f"Plays at {spec.sample_rate} Hz{in_channels(spec.channels)}, with {n_controls}",
        "",
        *table,
        "",
        "```",
        f"conditioned-synthesis generate --model THIS_FOLDER --output sound.wav{example}",
        "```",
        "",
        *story,
        "",
        "## Limits",
        "",
        "Controls are held within what it was trained on. Values mean what the labels of those clips meant: where a network read "
        "them, its errors are in them. How well each slider is followed is not said here: `conditioned-synthesis evaluate` "
        "measures it. Combinations of controls that few clips have are played least well.",
        "",
    ]
    write_card(folder, lines)

"""The command line of stage 3."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from texturelib.command_line import (
    ConfigArgument,
    DebugOption,
    DryRunOption,
    OverwriteOption,
    SetOption,
    make_app,
    run_app,
)

if TYPE_CHECKING:
    from domain_adaptation.config import AdaptationConfig
    from texturelib.outputs import Output

app = make_app("Learn the controls from synthetic sounds, adapt to real ones without labels, and label these.")


@app.command()
def train_extractor(
    config: ConfigArgument,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Train the network that reads the controls from a synthetic clip."""
    settings = _load(config, set_)
    output = _look(settings, "extractor", overwrite, dry_run)
    if _is_over(output, f"{settings.extractor.epochs} epochs", dry_run):
        return
    from domain_adaptation.extractor import train_extractor as run

    started = time.monotonic()
    error = run(settings, output)
    _report(output, f"mean absolute error {error:.4f} on test clips", started)


@app.command()
def train_classifier(
    config: ConfigArgument,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Train the network that tells real clips from synthetic ones."""
    settings = _load(config, set_)
    output = _look(settings, "classifier", overwrite, dry_run)
    if _is_over(output, f"{settings.classifier.epochs} epochs", dry_run):
        return
    from domain_adaptation.classifier import train_classifier as run

    started = time.monotonic()
    accuracy = run(settings, output)
    _report(output, f"{accuracy:.1%} of test clips told apart", started)


@app.command()
def adapt(
    config: ConfigArgument,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Adapt the extractor's encoder to the real clips, without labels."""
    settings = _load(config, set_)
    output = _look(settings, "adapted", overwrite, dry_run)
    if _is_over(output, f"{settings.adaptation.epochs} epochs", dry_run):
        return
    from domain_adaptation.adapt import adapt as run

    started = time.monotonic()
    before, after = run(settings, output)
    _report(output, f"labels within 0..1: {before:.1%} before, {after:.1%} after", started)


@app.command()
def label(
    config: ConfigArgument,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Label the real clips with continuous controls."""
    settings = _load(config, set_)
    output = _look(settings, "labels", overwrite, dry_run)
    if _is_over(output, "labels for every real clip", dry_run):
        return
    from domain_adaptation.label import label as run

    started = time.monotonic()
    summary = run(settings, output)
    inside = summary["share_of_labels_within_0_1"]["after"]
    _report(output, f"{summary['n_clips']} clips labelled, {inside:.1%} of the labels within 0..1", started)


_COMMANDS = {"extractor": "train-extractor", "classifier": "train-classifier", "adapted": "adapt", "labels": "label"}

# What each folder's content depends on: keys of the config, and folders that are read.
_DEPENDS_ON = {
    "extractor": ({"seed", "split", "features", "network", "extractor"}, ["synthetic"]),
    "classifier": ({"seed", "split", "features", "network", "classifier"}, ["synthetic", "real", "extractor"]),
    "adapted": ({"seed", "split", "features", "network", "adaptation"}, ["synthetic", "real", "extractor", "classifier"]),
    "labels": ({"features"}, ["synthetic", "real", "extractor", "adapted"]),
}


def _load(config: Path, overrides: list[str] | None) -> "AdaptationConfig":
    from domain_adaptation.config import AdaptationConfig
    from texturelib.config import load_config

    return load_config(config, AdaptationConfig, overrides or [])


def _look(settings: "AdaptationConfig", name: str, overwrite: bool, dry_run: bool) -> "Output":
    from texturelib.errors import TextureError
    from texturelib.files import shown
    from texturelib.outputs import look_at_output

    keys, inputs = _DEPENDS_ON[name]
    places = {"synthetic": settings.synthetic, "real": settings.real}
    for source in inputs:
        if source in _COMMANDS and not (settings.output / source).exists() and not dry_run:
            raise TextureError(
                f'{shown(settings.output / source)}: no such folder; run "domain-adaptation {_COMMANDS[source]}" first'
            )
    return look_at_output(
        settings,
        f"domain-adaptation {_COMMANDS[name]}",
        folder=settings.output / name,
        only=keys,
        inputs={source: places.get(source, settings.output / source) for source in inputs},
        overwrite=overwrite,
        dry_run=dry_run,
    )


def _is_over(output: "Output", plan: str, dry_run: bool) -> bool:
    """Say what will happen. -> nothing is left to do."""
    from texturelib.files import shown

    if output.is_done:
        print(f"{shown(output.folder)}: {output.why}")
    else:
        print(f"{shown(output.folder)}: {plan} ({output.why})")
    return output.is_done or dry_run


def _report(output: "Output", result: str, started: float) -> None:
    from texturelib.files import shown

    print(f"{shown(output.folder)}: {result}, in {time.monotonic() - started:.0f} s")


def main() -> None:
    run_app(app, "domain-adaptation")

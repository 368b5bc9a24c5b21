"""The command line of stage 3."""

import time
from collections.abc import Callable
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

    def run(settings: "AdaptationConfig", output: "Output") -> str:
        from domain_adaptation.extractor import train_extractor

        return f"mean absolute error {train_extractor(settings, output):.4f} on test clips"

    _perform("extractor", lambda settings: f"{settings.extractor.epochs} epochs", run, config, set_, dry_run, overwrite)


@app.command()
def train_classifier(
    config: ConfigArgument,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Train the network that tells real clips from synthetic ones."""

    def run(settings: "AdaptationConfig", output: "Output") -> str:
        from domain_adaptation.classifier import train_classifier

        return f"{train_classifier(settings, output):.1%} of test clips told apart"

    _perform("classifier", lambda settings: f"{settings.classifier.epochs} epochs", run, config, set_, dry_run, overwrite)


@app.command()
def adapt(
    config: ConfigArgument,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Adapt the extractor's encoder to the real clips, without labels."""

    def run(settings: "AdaptationConfig", output: "Output") -> str:
        from domain_adaptation.adapt import adapt

        before, after = adapt(settings, output)
        return f"labels within 0..1: {before:.1%} before, {after:.1%} after"

    _perform("adapted", lambda settings: f"{settings.adaptation.epochs} epochs", run, config, set_, dry_run, overwrite)


@app.command()
def label(
    config: ConfigArgument,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Label the real clips with continuous controls."""

    def run(settings: "AdaptationConfig", output: "Output") -> str:
        from domain_adaptation.label import label

        summary = label(settings, output)
        inside = summary["share_of_labels_within_0_1"]["after"]
        return f"{summary['n_clips']} clips labelled, {inside:.1%} of the labels within 0..1"

    _perform("labels", lambda _: "labels for every real clip", run, config, set_, dry_run, overwrite)


_COMMANDS = {"extractor": "train-extractor", "classifier": "train-classifier", "adapted": "adapt", "labels": "label"}

# What each folder's content depends on: keys of the config, and folders that are read.
_DEPENDS_ON = {
    "extractor": ({"seed", "split", "features", "network", "extractor"}, ["synthetic"]),
    "classifier": ({"seed", "split", "features", "network", "classifier"}, ["synthetic", "real", "extractor"]),
    "adapted": ({"seed", "split", "features", "network", "adaptation"}, ["synthetic", "real", "extractor", "classifier"]),
    "labels": ({"features"}, ["synthetic", "real", "extractor", "adapted"]),
}


def _perform(
    name: str,
    plan: Callable[["AdaptationConfig"], str],
    run: Callable[["AdaptationConfig", "Output"], str],
    config: Path,
    overrides: list[str] | None,
    dry_run: bool,
    overwrite: bool,
) -> None:
    """Run one command, unless it is done, and say what happens. name: of its folder. run: -> what came out, in words."""
    from domain_adaptation.config import AdaptationConfig
    from texturelib.config import load_config
    from texturelib.files import shown

    settings = load_config(config, AdaptationConfig, overrides or [])
    output = _look(settings, name, overwrite, dry_run)
    if output.is_done:
        print(f"{shown(output.folder)}: {output.why}")
        return
    print(f"{shown(output.folder)}: {plan(settings)} ({output.why})")
    if not dry_run:
        started = time.monotonic()
        result = run(settings, output)
        print(f"{shown(output.folder)}: {result}, in {time.monotonic() - started:.0f} s")


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


def main() -> None:
    run_app(app, "domain-adaptation")

"""The command line of stage 3."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from texturelib.command_line import (
    ConfigArgument,
    DebugOption,
    DryRunOption,
    OverwriteOption,
    SetOption,
    make_app,
    run_app,
)
from texturelib.errors import TextureError, UsageError

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

        judgement = adapt(settings, output)
        if settings.adaptation.type == "none":
            return "kept as it was trained"
        return f"{'adapted' if judgement.is_kept else 'not adapted'}: {judgement.why}"

    _perform("adapted", lambda settings: f'method "{settings.adaptation.type}"', run, config, set_, dry_run, overwrite)


@app.command()
def label(
    config: Annotated[Path | None, typer.Argument(metavar="[CONFIG]", help="The JSON config, as for the others.")] = None,
    model: Annotated[Path | None, typer.Option(metavar="FOLDER", help="A model folder, instead of a config.")] = None,
    audio: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Sounds to label with it.")] = None,
    table: Annotated[Path | None, typer.Option("--output", metavar="TABLE.csv", help="Where to write their labels.")] = None,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Label the real clips of a config, or any folder of sounds with --model, --audio and --output."""
    if config is None:
        if set_:
            raise UsageError("--set changes a config; with --model there is none")
        _label_folder(model, audio, table, dry_run, overwrite)
        return
    if model or audio or table:
        raise UsageError("give a config, or --model, --audio and --output, not both")

    def run(settings: "AdaptationConfig", output: "Output") -> str:
        from domain_adaptation.label import label

        summary = label(settings, output)
        inside = summary["share_of_labels_within_0_1"]["after"]
        return f"{summary['n_clips']} clips labelled, {inside:.1%} of the labels within 0..1"

    _perform("labels", lambda _: "labels for every real clip", run, config, set_, dry_run, overwrite)


def _label_folder(model: Path | None, audio: Path | None, table: Path | None, dry_run: bool, overwrite: bool) -> None:
    from texturelib.audio import find_audio
    from texturelib.files import printable, shown

    if not (model and audio and table):
        raise UsageError("name a config, or all of --model FOLDER, --audio FOLDER and --output TABLE.csv")
    if not audio.is_dir():
        raise UsageError(f"--audio: {shown(audio)}: should be a folder that holds sound files")
    if table.suffix != ".csv":
        raise UsageError(f"--output: {shown(table)} should end in .csv")
    for path in (table, table.with_suffix(".json")):
        if path.exists() and not overwrite:
            raise UsageError(f"--output: {shown(path)} is there already; --overwrite replaces it")
    if dry_run:
        print(f"{shown(table)}: labels for {len(find_audio(audio))} files")
        return
    from domain_adaptation.label_folder import label_folder

    n_rows, rejected = label_folder(model, audio, table)
    for name, reason in rejected.items():
        print(printable(f"{name}: {reason}: left out"), file=sys.stderr)
    print(f"{shown(table)}: {n_rows} clips labelled, {len(rejected)} files left out; the same as JSON beside it")


@app.command()
def evaluate(
    config: ConfigArgument,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Compare methods of adaptation: on simulated recordings with hidden truth, and by slowing real ones down."""

    def plan(settings: "AdaptationConfig") -> str:
        wanted = settings.wanted_evaluation()
        return f"{len(wanted.methods)} methods, {len(wanted.seeds)} seeds"

    def run(settings: "AdaptationConfig", output: "Output") -> str:
        from domain_adaptation.evaluate import evaluate

        return f"{len(evaluate(settings, output))} measurements, see report.md"

    _perform("evaluation", plan, run, config, set_, dry_run, overwrite)


@app.command()
def import_thesis(
    published: Annotated[Path, typer.Argument(metavar="PUBLISHED", help="A folder that the thesis published.")],
    output: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to write the model folders.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace models that are there.")] = False,
    debug: DebugOption = False,
) -> None:
    """Make model folders from networks that the thesis published."""
    from texturelib.files import shown

    taken = [name for name in ("extractor", "classifier", "adapted", "adaptation.json") if (output / name).exists()]
    if taken and not overwrite:
        raise UsageError(f"--output: {shown(output / taken[0])} is there already; --overwrite replaces it")
    from domain_adaptation.thesis_import import import_thesis

    controls = import_thesis(published, output)
    print(f"{shown(output)}: extractor, classifier and adapted read {', '.join(controls)}; adaptation.json has their settings")


_COMMANDS = {
    "extractor": "train-extractor",
    "classifier": "train-classifier",
    "adapted": "adapt",
    "labels": "label",
    "evaluation": "evaluate",
}

# What each folder's content depends on: keys of the config, and folders that are read.
_DEPENDS_ON = {
    "extractor": ({"seed", "split", "features", "network", "extractor"}, ["synthetic"]),
    "classifier": ({"seed", "split", "features", "network", "classifier"}, ["synthetic", "real", "extractor"]),
    "adapted": ({"seed", "split", "features", "network", "adaptation"}, ["synthetic", "real", "extractor"]),
    "labels": ({"features"}, ["real", "extractor", "adapted"]),
    "evaluation": ({"seed", "split", "features", "network", "extractor", "classifier", "evaluation"}, ["synthetic"]),
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
    from texturelib.files import shown
    from texturelib.outputs import look_at_output

    keys, inputs = _DEPENDS_ON[name]
    if name == "adapted" and settings.adaptation.needs_classifier:
        inputs = [*inputs, "classifier"]
    places = {"synthetic": settings.synthetic, "real": settings.real}
    if name == "evaluation" and settings.evaluation:
        if settings.evaluation.truth:
            inputs = [*inputs, "real", "evaluation.truth"]
            places["evaluation.truth"] = settings.evaluation.truth
        if settings.evaluation.recordings:
            inputs = [*inputs, "evaluation.recordings"]
            places["evaluation.recordings"] = settings.evaluation.recordings
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

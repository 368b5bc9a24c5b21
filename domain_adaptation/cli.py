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
    ExecutorOption,
    OverwriteOption,
    SetOption,
    WorkersOption,
    make_app,
    run_app,
)
from texturelib.errors import UsageError

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
        from domain_adaptation.training.extractor import train_extractor

        return f"mean absolute error {train_extractor(settings, output):.4f} on test clips"

    _perform("train-extractor", lambda settings: f"{settings.extractor.epochs} epochs", run, config, set_, dry_run, overwrite)


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
        from domain_adaptation.training.classifier import train_classifier

        return f"{train_classifier(settings, output):.1%} of test clips told apart"

    _perform("train-classifier", lambda settings: f"{settings.classifier.epochs} epochs", run, config, set_, dry_run, overwrite)


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
        from domain_adaptation.adaptation.command import adapt

        judgement = adapt(settings, output)
        if settings.adaptation.type == "none":
            return "kept as it was trained"
        return f"{'adapted' if judgement.is_kept else 'not adapted'}: {judgement.why}"

    _perform("adapt", lambda settings: f'method "{settings.adaptation.type}"', run, config, set_, dry_run, overwrite)


@app.command()
def label(
    config: Annotated[Path | None, typer.Argument(metavar="[CONFIG]", help="The JSON config, as for the others.")] = None,
    model: Annotated[Path | None, typer.Option(metavar="FOLDER", help="A model folder, instead of a config.")] = None,
    audio: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Sounds to label with it.")] = None,
    table: Annotated[Path | None, typer.Option("--output", metavar="TABLE.csv", help="Where to write their labels.")] = None,
    set_: SetOption = None,
    executor: ExecutorOption = None,
    workers: WorkersOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Label the real clips of a config, or any folder of sounds with --model, --audio and --output."""
    if config is None:
        if set_:
            raise UsageError("--set changes a config; with --model there is none")
        _label_folder(model, audio, table, executor, workers, dry_run, overwrite)
        return
    if model or audio or table:
        raise UsageError("give a config, or --model, --audio and --output, not both")
    if executor:
        raise UsageError("--executor is for --model; with a config, its executor counts (--set executor.type=...)")

    def run(settings: "AdaptationConfig", output: "Output") -> str:
        from domain_adaptation.labelling.dataset import label

        summary = label(settings, output, workers=workers)
        inside = summary["share_of_labels_within_0_1"]["after"]
        return f"{summary['n_clips']} clips labelled, {inside:.1%} of the labels within 0..1"

    _perform("label", lambda _: "labels for every real clip", run, config, set_, dry_run, overwrite)


def _label_folder(
    model: Path | None,
    audio: Path | None,
    table: Path | None,
    executor: str | None,
    workers: int | None,
    dry_run: bool,
    overwrite: bool,
) -> None:
    from texturelib.executors import executor_named
    from texturelib.files import printable, shown
    from texturelib.sound_files import find_audio

    if not (model and audio and table):
        raise UsageError("name a config, or all of --model FOLDER, --audio FOLDER and --output TABLE.csv")
    if not audio.is_dir():
        raise UsageError(f"--audio: {shown(audio)}: should be a folder that holds sound files")
    if table.suffix != ".csv":
        raise UsageError(f"--output: {shown(table)} should end in .csv")
    for path in (table, table.with_suffix(".json")):
        if path.exists() and not overwrite:
            raise UsageError(f"--output: {shown(path)} is there already; --overwrite replaces it")
    worker = executor_named(executor or "local")
    if dry_run:
        print(f"{shown(table)}: labels for {len(find_audio(audio))} files")
        return
    from domain_adaptation.labelling.folder import label_folder

    n_rows, rejected, notes = label_folder(model, audio, table, worker, workers)
    for name, reason in rejected.items():
        print(printable(f"{name}: {reason}: left out"), file=sys.stderr)
    for name, note in notes.items():
        print(printable(f"{name}: {note}"), file=sys.stderr)
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
        from domain_adaptation.evaluation.command import evaluate

        return f"{len(evaluate(settings, output))} measurements, see report.md"

    _perform("evaluate", plan, run, config, set_, dry_run, overwrite)


@app.command()
def import_thesis(
    published: Annotated[Path, typer.Argument(metavar="PUBLISHED", help="A folder that the thesis published.")],
    output: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to write the model folders.")],
    decibels: Annotated[
        bool | None,
        typer.Option(
            "--decibels/--no-decibels",
            help="What its networks were given: decibels, or the power. By default whichever gives the published labels.",
            show_default=False,
        ),
    ] = None,
    audio: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Clips with published labels, where PUBLISHED holds none of them.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace models that are there.")] = False,
    debug: DebugOption = False,
) -> None:
    """Make model folders from networks that the thesis published."""
    from texturelib.files import shown

    taken = [name for name in ("extractor", "classifier", "adapted", "adaptation.json") if (output / name).exists()]
    if taken and not overwrite:
        raise UsageError(f"--output: {shown(output / taken[0])} is there already; --overwrite replaces it")
    from domain_adaptation.models.thesis_import import import_thesis

    done = import_thesis(published, output, decibels=decibels, audio=audio)
    given = {"--decibels": "spectrograms in decibels", "--no-decibels": "spectrograms of power", "": "waveforms"}[done.option]
    known = f"as the published labels of {done.n_clips} clips say" if done.n_clips else "tried on no clip"
    names = " and ".join([", ".join(done.models[:-1]), done.models[-1]] if done.models[1:] else done.models)
    verb = "read" if done.models[1:] else "reads"
    print(f"{shown(output)}: {names} {verb} {', '.join(done.controls)} from {given} ({known}); adaptation.json has the settings")
    if done.lacking:
        lacking = " and no ".join("adapted network" if name == "adapted" else name for name in done.lacking)
        print(f"note: no {lacking} was published there")


def _perform(
    command: str,
    plan: Callable[["AdaptationConfig"], str],
    run: Callable[["AdaptationConfig", "Output"], str],
    config: Path,
    overrides: list[str] | None,
    dry_run: bool,
    overwrite: bool,
) -> None:
    """Run one command, unless it is done, and say what happens. run: -> what came out, in words."""
    from domain_adaptation.commands import look
    from domain_adaptation.config import AdaptationConfig
    from texturelib.config import load_config
    from texturelib.files import shown

    settings = load_config(config, AdaptationConfig, overrides or [])
    output = look(settings, command, overwrite=overwrite, dry_run=dry_run)
    if output.is_done:
        print(f"{shown(output.folder)}: {output.why}")
        return
    print(f"{shown(output.folder)}: {plan(settings)} ({output.why})")
    if not dry_run:
        started = time.monotonic()
        result = run(settings, output)
        print(f"{shown(output.folder)}: {result}, in {time.monotonic() - started:.0f} s")


def main() -> None:
    run_app(app, "domain-adaptation")

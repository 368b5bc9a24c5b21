"""The command line of stage 3."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from domain_adaptation.commands import COMMANDS, LABEL
from texturelib.command_line import (
    DryRunOption,
    ExecutorOption,
    OverwriteOption,
    SetOption,
    WorkersOption,
    add_command,
    make_app,
    perform,
    run_app,
)
from texturelib.errors import UsageError

app = make_app(
    "Learn the controls from synthetic sounds, adapt to real ones without labels, and label these."
)

for each in COMMANDS:
    if each is not LABEL:
        add_command(app, each)


@app.command(help=LABEL.help)
def label(
    config: Annotated[
        Path | None, typer.Argument(metavar="[CONFIG]", help="The JSON config, as for the others.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="A model folder, instead of a config.")
    ] = None,
    audio: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Sounds to label with it.")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option("--output", metavar="TABLE.csv", help="Where to write their labels."),
    ] = None,
    set_: SetOption = None,
    executor: ExecutorOption = None,
    workers: WorkersOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    if config is None:
        if set_:
            raise UsageError("--set changes a config; with --model there is none")
        _label_folder(model, audio, table, executor, workers, dry_run, overwrite)
        return
    if model or audio or table:
        raise UsageError("give a config, or --model, --audio and --output, not both")
    if executor:
        raise UsageError(
            "--executor is for --model; with a config, its executor counts (--set executor.type=...)"
        )

    perform(LABEL, config, set_, workers=workers, dry_run=dry_run, overwrite=overwrite)


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
    from texturelib.outputs import check_file_place
    from texturelib.sound_files import find_audio

    if not (model and audio and table):
        raise UsageError(
            "name a config, or all of --model FOLDER, --audio FOLDER and --output TABLE.csv"
        )
    if not audio.is_dir():
        raise UsageError(f"--audio: {shown(audio)}: should be a folder that holds sound files")
    if table.suffix != ".csv":
        raise UsageError(f"--output: {shown(table)} should end in .csv")
    check_file_place(table, overwrite, table.with_suffix(".json"))
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
    print(
        f"{shown(table)}: {n_rows} clips labelled, {len(rejected)} files left out; the same as JSON beside it"
    )


@app.command()
def fit(
    recordings: Annotated[
        Path, typer.Argument(metavar="RECORDINGS", help="A folder of recordings.")
    ],
    synthetic: Annotated[
        list[Path],
        typer.Option(metavar="FOLDER", help="A synthetic set; give several to compare engines."),
    ],
    output: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to write the page.")],
    overwrite: OverwriteOption = False,
) -> None:
    """See how near the sounds of engines come to recordings, before anything is trained."""
    from domain_adaptation.fit.command import FitConfig
    from domain_adaptation.fit.command import fit as compare
    from texturelib.files import shown
    from texturelib.outputs import check_output

    config = FitConfig(
        output=output.absolute(),
        recordings=recordings.absolute(),
        synthetic=tuple(path.absolute() for path in synthetic),
    )
    inputs = {f"--synthetic {n}": path for n, path in enumerate(config.synthetic, 1)}
    place = check_output(
        config,
        "domain-adaptation fit",
        inputs={"recordings": config.recordings, **inputs},
        overwrite=overwrite,
    )
    if place.is_done:
        print(f"{shown(place.folder)}: done and unchanged")
        return
    for row in compare(config, place):
        if row["is_best"]:
            pressed = f", presses against {row['pressed']}" if row["pressed"] else ""
            print(
                f"{row['recording']}: nearest to {row['set']}, {row['spreads']:.1f} spreads away{pressed}"
            )
    print(f"{shown(place.folder / 'index.html')}: a page with players")


@app.command()
def import_thesis(
    published: Annotated[
        Path, typer.Argument(metavar="PUBLISHED", help="A folder that the thesis published.")
    ],
    output: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where to write the model folders.")
    ],
    decibels: Annotated[
        bool | None,
        typer.Option(
            "--decibels/--no-decibels",
            help="What its networks were given: decibels, or the power. By default whichever gives the published labels.",
            show_default=False,
        ),
    ] = None,
    audio: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Clips with published labels, where PUBLISHED holds none of them.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace models that are there.")
    ] = False,
) -> None:
    """Make model folders from networks that the thesis published."""
    from domain_adaptation.models.thesis_import import check_place, import_thesis
    from texturelib.files import shown

    check_place(output, overwrite)
    done = import_thesis(published, output, decibels=decibels, audio=audio)
    given = {
        "--decibels": "spectrograms in decibels",
        "--no-decibels": "spectrograms of power",
        "": "waveforms",
    }[done.option]
    known = (
        f"as the published labels of {done.n_clips} clips say"
        if done.n_clips
        else "tried on no clip"
    )
    names = " and ".join(
        [", ".join(done.models[:-1]), done.models[-1]] if done.models[1:] else done.models
    )
    verb = "read" if done.models[1:] else "reads"
    print(
        f"{shown(output)}: {names} {verb} {', '.join(done.controls)} from {given} ({known}); adaptation.json has the settings"
    )
    if done.lacking:
        lacking = " and no ".join(
            "adapted network" if name == "adapted" else name for name in done.lacking
        )
        print(f"note: no {lacking} was published there")


def main() -> None:
    run_app(app, "domain-adaptation")

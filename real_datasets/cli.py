"""The command line of stage 2."""

import time
from pathlib import Path
from typing import Annotated

import typer

from texturelib.command_line import (
    ConfigArgument,
    DebugOption,
    DryRunOption,
    OverwriteOption,
    OverwriteTableOption,
    SetOption,
    WorkersOption,
    make_app,
    run_app,
)

app = make_app("Make silence-free, fixed-length sets out of recordings.")


@app.command()
def build(
    config: ConfigArgument,
    set_: SetOption = None,
    workers: WorkersOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Cut the recordings of CONFIG into its output folder."""
    from real_datasets.commands import look
    from real_datasets.config import RealConfig
    from texturelib.config import load_config
    from texturelib.files import shown

    settings = load_config(config, RealConfig, set_ or [])
    output = look(settings, "build", overwrite=overwrite, dry_run=dry_run)
    if output.is_done:
        print(f"{shown(output.folder)}: {output.why}")
        return
    if dry_run:
        from real_datasets.survey import survey

        is_there = all(path.exists() for path in settings.inputs.values())
        so_far = settings.source.so_far()
        found = survey(settings) if is_there and not so_far else None
        what = so_far or found or f"segments of {settings.seconds:g} s"
        print(f"{shown(output.folder)}: {what} ({output.why})")
        if found and (stops := found.why_it_stops(settings.max_rejected)):
            print(stops)
        return
    from real_datasets.build import build as run

    print(f"{shown(output.folder)}: cutting recordings ({output.why})")
    started = time.monotonic()
    counts = run(settings, output, workers=workers)
    left_out = {
        "silent": counts["n_silent_segments"],
        "clipped": counts["n_clipped_segments"],
        "duplicates": counts["n_duplicate_segments"],
        "beyond most_per_recording": counts["n_segments_beyond_most"],
    }
    but = ", ".join(f"{count} {reason}" for reason, count in left_out.items() if count or reason == "silent")
    print(
        f"{shown(output.folder)}: {counts['n_segments']} segments of {settings.seconds:g} s from {counts['n_recordings']} "
        f"recordings ({counts['n_rejected']} left out; segments left out: {but}) in {time.monotonic() - started:.0f} s"
    )
    if counts["n_noted"]:
        print(f"{shown(output.folder / 'notes.csv')}: what was unusual in {counts['n_noted']} recordings, and how they were read")


@app.command()
def plan(
    config: ConfigArgument,
    output: Annotated[
        Path | None, typer.Option(metavar="TABLE.csv", help="Write every recording there, and why it is not taken.")
    ] = None,
    set_: SetOption = None,
    overwrite: OverwriteTableOption = False,
    debug: DebugOption = False,
) -> None:
    """Say which recordings CONFIG takes and why it leaves out the others, from metadata alone."""
    from real_datasets.choose import choose
    from real_datasets.config import RealConfig
    from real_datasets.plan import describe
    from texturelib.config import load_config
    from texturelib.files import shown, write_table
    from texturelib.outputs import check_table_place

    settings = load_config(config, RealConfig, set_ or [])
    if output:
        check_table_place(output, settings, overwrite)
    choice = choose(settings)
    print(describe(choice, settings.source.missing(choice.kept), settings.max_rejected))
    if output:
        write_table(output, choice.table(), is_durable=True)
        print(f"\n{shown(output)}: all {len(choice.recordings)} recordings")


def main() -> None:
    run_app(app, "real-datasets")

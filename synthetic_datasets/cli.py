"""The command line of stage 1."""

import sys
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

app = make_app("Make labelled synthetic sounds with a procedural engine.")


@app.command()
def generate(
    config: ConfigArgument,
    set_: SetOption = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Only so many clips, spread evenly over the plan, each as in the whole run.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Agree to another number of clips than was asked for.")] = False,
    workers: WorkersOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Render the clips of CONFIG into its output folder."""
    from synthetic_datasets.clip_memory import problem_with_memory
    from synthetic_datasets.commands import look
    from synthetic_datasets.config import SyntheticConfig
    from texturelib.config import load_config
    from texturelib.errors import UsageError
    from texturelib.files import shown

    settings = load_config(config, SyntheticConfig, set_ or [])
    output = look(settings, "generate", sample=sample, overwrite=overwrite, dry_run=dry_run)
    n_clips = min(sample or settings.distribution.n_planned, settings.distribution.n_planned)
    megabytes = n_clips * settings.seconds * settings.sample_rate * 2 / 1e6
    size = f"{n_clips} clips of {settings.seconds:g} s, {n_clips * settings.seconds / 3600:.2f} h, {megabytes:.0f} MB"
    problem = None if output.is_done else problem_with_memory(settings, workers)
    if dry_run or output.is_done:
        print(f"{shown(output.folder)}: {size}: {output.why}")
        if problem:
            print(f"note: {shown(config)}: {problem}")
        return
    if problem:
        raise UsageError(f"{shown(config)}: {problem}")
    if settings.distribution.n_planned != settings.distribution.n_clips and not yes:
        _agree(f"the distribution makes {settings.distribution.n_planned} clips, not {settings.distribution.n_clips}")
    from synthetic_datasets.generate import generate as run

    print(f"{shown(output.folder)}: rendering {size} ({output.why})")
    started = time.monotonic()
    n_made = run(settings, output, sample=sample, workers=workers)
    print(f"{shown(output.folder)}: {n_made} clips in {time.monotonic() - started:.0f} s")


@app.command()
def plan(
    config: ConfigArgument,
    output: Annotated[Path, typer.Option(metavar="TABLE.csv", help="The table; its picture goes beside it, as TABLE.png.")],
    set_: SetOption = None,
    overwrite: OverwriteTableOption = False,
    debug: DebugOption = False,
) -> None:
    """Write the table of control values and levels of CONFIG, and a picture of how they spread; nothing is rendered."""
    import pandas as pd

    from synthetic_datasets.config import SyntheticConfig
    from synthetic_datasets.plan import make_plan
    from synthetic_datasets.plan_picture import plan_picture
    from texturelib.config import load_config
    from texturelib.durable import sync_files
    from texturelib.files import shown, write_table
    from texturelib.outputs import check_table_place

    settings = load_config(config, SyntheticConfig, set_ or [])
    check_table_place(output, settings, overwrite)
    picture = output.with_suffix(".png")
    table = make_plan(settings)
    write_table(output, table)
    plan_picture(picture, table, settings)
    sync_files(output, picture)
    n_asked = settings.distribution.n_clips
    print(f"{shown(output)}: {len(table)} clips" + (f", not the {n_asked} asked for" if len(table) != n_asked else ""))
    print(f"{shown(picture)}: how they spread\n")
    print(table.to_string(index=False, max_rows=4), end="\n\n")
    values = table.drop(columns="file_name")
    print(pd.DataFrame({"low": values.min(), "high": values.max(), "different values": values.nunique()}).to_string())


@app.command()
def simulate_recordings(
    config: ConfigArgument,
    set_: SetOption = None,
    workers: WorkersOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Make simulated field recordings, with their true controls kept apart, to test labels against."""
    from synthetic_datasets.clip_memory import problem_with_memory
    from synthetic_datasets.commands import look
    from synthetic_datasets.config import RecordingsConfig
    from texturelib.config import load_config
    from texturelib.errors import UsageError
    from texturelib.files import shown

    settings = load_config(config, RecordingsConfig, set_ or [])
    output = look(settings, "simulate-recordings", overwrite=overwrite, dry_run=dry_run)
    n_takes = settings.n_locations * settings.takes_per_location
    size = f"{n_takes} recordings of {settings.seconds:g} s at {settings.n_locations} locations"
    problem = None if output.is_done else problem_with_memory(settings, workers)
    if dry_run or output.is_done:
        print(f"{shown(output.folder)}: {size}: {output.why}")
        if problem:
            print(f"note: {shown(config)}: {problem}")
        return
    if problem:
        raise UsageError(f"{shown(config)}: {problem}")
    from synthetic_datasets.recordings import simulate_recordings as run

    print(f"{shown(output.folder)}: {size} ({output.why})")
    run(settings, output, workers=workers)


def _agree(statement: str) -> None:
    from texturelib.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError(f"{statement}; agree with --yes, or change distribution.n_clips")
    if not typer.confirm(f"{statement}; go on?"):
        raise UsageError("nothing was rendered")


def main() -> None:
    run_app(app, "synthetic-datasets")

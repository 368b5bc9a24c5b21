"""The command line of stage 1."""

from pathlib import Path
from typing import Annotated

import typer

from synthetic_datasets.commands import GENERATE, SIMULATE_RECORDINGS, generating
from texturelib.command_line import (
    ConfigArgument,
    DryRunOption,
    OverwriteOption,
    OverwriteTableOption,
    SetOption,
    WorkersOption,
    add_command,
    make_app,
    perform,
    run_app,
)

app = make_app("Make labelled synthetic sounds with a procedural engine.")


@app.command(help=GENERATE.help)
def generate(
    config: ConfigArgument,
    set_: SetOption = None,
    sample: Annotated[
        int | None,
        typer.Option(
            min=1, help="Only so many clips, spread evenly over the plan, each as in the whole run."
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Agree to another number of clips than was asked for.")
    ] = False,
    workers: WorkersOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    perform(
        generating(sample, yes), config, set_, workers=workers, dry_run=dry_run, overwrite=overwrite
    )


@app.command()
def plan(
    config: ConfigArgument,
    output: Annotated[
        Path,
        typer.Option(
            metavar="TABLE.csv", help="The table; its picture goes beside it, as TABLE.png."
        ),
    ],
    set_: SetOption = None,
    overwrite: OverwriteTableOption = False,
) -> None:
    """Write the table of control values and levels of CONFIG, and a picture of how they spread;
    nothing is rendered."""
    import pandas as pd

    from synthetic_datasets.config import SyntheticConfig
    from synthetic_datasets.plan import make_plan
    from synthetic_datasets.plan_picture import plan_picture
    from texturelib.config import load_config
    from texturelib.durable import sync_files
    from texturelib.files import shown, write_table
    from texturelib.made import named_by_the_user
    from texturelib.outputs import check_table_place

    settings = load_config(config, SyntheticConfig, set_ or [])
    picture = output.with_suffix(".png")
    check_table_place(output, settings, overwrite, picture)
    table = make_plan(settings)
    with named_by_the_user():
        write_table(output, table)
        plan_picture(picture, table, settings)
    sync_files(output, picture)
    n_asked = settings.distribution.n_clips
    print(
        f"{shown(output)}: {len(table)} clips"
        + (f", not the {n_asked} asked for" if len(table) != n_asked else "")
    )
    print(f"{shown(picture)}: how they spread\n")
    print(table.to_string(index=False, max_rows=4), end="\n\n")
    values = table.drop(columns="file_name")
    print(
        pd.DataFrame(
            {"low": values.min(), "high": values.max(), "different values": values.nunique()}
        ).to_string()
    )


add_command(app, SIMULATE_RECORDINGS)


def main() -> None:
    run_app(app, "synthetic-datasets")

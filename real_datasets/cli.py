"""The command line of stage 2."""

from pathlib import Path
from typing import Annotated

import typer

from real_datasets.commands import BUILD
from texturelib.command_line import (
    ConfigArgument,
    OverwriteTableOption,
    SetOption,
    add_command,
    make_app,
    run_app,
)

app = make_app("Make silence-free, fixed-length sets out of recordings.")


add_command(app, BUILD)


@app.command()
def plan(
    config: ConfigArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE.csv", help="Write every recording there, and why it is not taken."
        ),
    ] = None,
    set_: SetOption = None,
    overwrite: OverwriteTableOption = False,
) -> None:
    """Say which recordings CONFIG takes and why it leaves out the others, from metadata alone."""
    from real_datasets.choose import choose
    from real_datasets.config import RealConfig
    from real_datasets.plan import describe
    from texturelib.config import load_config
    from texturelib.files import shown, write_table
    from texturelib.made import named_by_the_user
    from texturelib.outputs import check_table_place

    settings = load_config(config, RealConfig, set_ or [])
    if output:
        check_table_place(output, settings, overwrite)
    choice = choose(settings)
    print(describe(choice, settings.source.missing(choice.kept), settings.max_rejected))
    if output:
        with named_by_the_user():
            write_table(output, choice.table(), is_durable=True)
        print(f"\n{shown(output)}: all {len(choice.recordings)} recordings")


def main() -> None:
    run_app(app, "real-datasets")

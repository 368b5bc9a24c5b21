"""The command line of the doctor."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from texturelib.command_line import make_app, run_app

app = make_app("Before hours of work, in seconds: will it go?")


@app.command()
def doctor(
    place: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CONFIG|DIR]",
            help="A stage's JSON config, or a sound's folder of them. None: the environment.",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY.KEY=VALUE",
            help="Change one value; of a DIR, STAGE.KEY=VALUE. Repeatable.",
        ),
    ] = None,
    recordings: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Of a DIR: recordings in place of those that the configs name."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Of a DIR: where the results go, in place of the configs' folder.",
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Leave out what is measured: time, and whether engines sound."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Check environment, config, data, disk and time of what CONFIG or DIR would run, without
    changing anything.

    Exit status: 0 go, 1 no, 2 no: the config is wrong.
    """
    import json

    from texture_pipeline.doctor.examination import examine
    from texturelib.errors import UsageError

    if place is None and (set_ or recordings or output):
        raise UsageError(
            "name a config, or a sound's folder of them: these options change what is asked for there"
        )
    with redirect_stdout(sys.stderr):  # the stages' messages are no part of the report
        report = examine(place, set_ or [], recordings, output, quick)
    print(json.dumps(report.as_json(), indent=2) if as_json else report.text())
    if report.exit_status:
        raise typer.Exit(report.exit_status)


def main() -> None:
    run_app(app, "texture-doctor", without_arguments=())

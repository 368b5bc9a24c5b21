"""The command line of the whole pipeline."""

from pathlib import Path
from typing import Annotated

import typer

from texturelib.command_line import DryRunOption, ExecutorOption, is_debugging, make_app, run_app

app = make_app("Run the stages of one sound in order, and make a page of what they made.")


@app.command()
def pipeline(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A sound's folder of configs, as configs/demo.")
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="STAGE.KEY=VALUE",
            help="Change one value of one stage's config. Repeatable.",
        ),
    ] = None,
    recordings: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Recordings to use in place of those that the configs name; also one sound file.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where the results go, in place of the folder that the configs share.",
        ),
    ] = None,
    executor: ExecutorOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Agree to another number of clips than was asked for.")
    ] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Run the stages whose configs lie in DIR, in order, and make a page; what is done and
    unchanged is left alone."""
    from texture_pipeline.run import run_commands
    from texture_pipeline.stages import plan_jobs
    from texturelib.files import shown

    jobs, results = plan_jobs(folder, set_ or [], recordings, output, executor)
    every = ["--dry-run"] * dry_run + ["--overwrite"] + ["--debug"] * is_debugging()
    status = run_commands(jobs, {"": every, "synthetic-datasets generate": ["--yes"] * yes})
    if status:
        raise typer.Exit(status)
    if dry_run:
        return
    from texture_pipeline.page import make_page

    page = make_page({job.stage.name: job.config for job in jobs}, results, folder.absolute().name)
    print(f"\nresults: {shown(results)}\npage:    {shown(page)}")


def main() -> None:
    run_app(app, "texture-pipeline")

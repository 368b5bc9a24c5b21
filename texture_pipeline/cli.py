"""The command line of the whole pipeline."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from texturelib.command_line import DryRunOption, ExecutorOption, is_debugging, make_app, run_app


class _RunsUnlessTold(TyperGroup):
    """Commands of which `run` may be left out: `texture-pipeline DIR`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = make_app(
    "Run the stages of one sound in order, and make a page of what they made; make a project of your own.",
    cls=_RunsUnlessTold,
)


@app.command("new")
def new(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="The folder to make.")],
    recordings: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Your recordings; also one sound file.")
    ],
    sound: Annotated[
        Literal["none", "liquid", "rain", "fire", "wind"],
        typer.Option(
            help="The engine whose controls become sliders; none: size and density, which every sound has."
        ),
    ] = "none",
    rate: Annotated[
        int | None,
        typer.Option(
            metavar="HZ",
            min=8000,
            max=192000,
            help="Sample rate of the clips and instruments; 44100 unless given.",
        ),
    ] = None,
    stereo: Annotated[bool, typer.Option("--stereo", help="Clips of two channels.")] = False,
) -> None:
    """Write the configs of a project, with a comment above each key, into a new folder."""
    from texture_pipeline.project.new import new_project
    from texturelib.files import shown

    for config in new_project(project, recordings, sound, rate, stereo):
        print(shown(config))
    print(f"next: texture-pipeline {shown(project)}")


@app.command("status")
def status(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of configs.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="STAGE.KEY=VALUE", help="As it was given to the run."),
    ] = None,
    recordings: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="As it was given to the run.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="As it was given to the run.")
    ] = None,
) -> None:
    """Say what is made, out of date or missing, how large and how good it is, and what to do
    next."""
    from texture_pipeline.project.status import status_of

    print(status_of(folder, set_ or [], recordings, output))


@app.command("run")
def pipeline(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="A folder of configs: a project, or a sound's, as configs/demo."
        ),
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
    at_once: Annotated[
        int | None,
        typer.Option(
            "--at-once",
            metavar="N",
            min=1,
            help="How many commands of different configs run side by side where none needs the other: 2, on one core "
            "1, unless given. They share the cores.",
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Agree to another number of clips than was asked for.")
    ] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Run the stages whose configs lie in DIR, in order, and make a page; what is done and
    unchanged is left alone. The word run may be left out."""
    from texture_pipeline.run import default_at_once, run_commands
    from texture_pipeline.stages import plan_jobs
    from texturelib.files import shown

    jobs, results = plan_jobs(folder, set_ or [], recordings, output, executor)
    every = ["--dry-run"] * dry_run + ["--overwrite"] + ["--debug"] * is_debugging()
    status = run_commands(
        jobs,
        {"": every, "synthetic-datasets generate": ["--yes"] * yes},
        1 if dry_run else at_once or default_at_once(),
        imports=not dry_run,
    )
    if status:
        raise typer.Exit(status)
    if dry_run:
        return
    from texture_pipeline.page import make_page

    page = make_page({job.stage.name: job.config for job in jobs}, results, folder.absolute().name)
    print(f"\nresults: {shown(results)}\npage:    {shown(page)}")


def main() -> None:
    run_app(app, "texture-pipeline")

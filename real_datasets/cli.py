"""The command line of stage 2."""

import time

from texturelib.command_line import (
    ConfigArgument,
    DebugOption,
    DryRunOption,
    OverwriteOption,
    SetOption,
    WorkersOption,
    make_app,
    run_app,
)

app = make_app("Make silence-free, fixed-length sets out of recordings.")


@app.callback()
def _verbs() -> None:
    """Make silence-free, fixed-length sets out of recordings."""


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
    from real_datasets.config import RealConfig
    from texturelib.config import load_config
    from texturelib.files import shown
    from texturelib.outputs import look_at_output

    settings = load_config(config, RealConfig, set_ or [])
    output = look_at_output(settings, "real-datasets build", inputs=settings.source.inputs, overwrite=overwrite, dry_run=dry_run)
    if output.is_done:
        print(f"{shown(output.folder)}: {output.why}")
        return
    if dry_run:
        from real_datasets.survey import survey

        is_there = all(path.exists() for path in settings.source.inputs.values())
        plan = survey(settings) if is_there else f"segments of {settings.seconds:g} s"
        print(f"{shown(output.folder)}: {plan} ({output.why})")
        return
    from real_datasets.build import build as run

    print(f"{shown(output.folder)}: cutting recordings ({output.why})")
    started = time.monotonic()
    counts = run(settings, output, workers=workers)
    print(
        f"{shown(output.folder)}: {counts['n_segments']} segments of {settings.seconds:g} s from {counts['n_recordings']} "
        f"recordings ({counts['n_rejected']} left out, {counts['n_silent_segments']} segments silent) "
        f"in {time.monotonic() - started:.0f} s"
    )


def main() -> None:
    run_app(app, "real-datasets")

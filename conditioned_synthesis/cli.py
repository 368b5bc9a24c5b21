"""The command line of stage 4."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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

if TYPE_CHECKING:
    from conditioned_synthesis.config import SynthesisConfig
    from texturelib.dataset import Dataset
    from texturelib.outputs import Output

app = make_app("Analyse labelled recordings, balance them, and export them to a conditioned synthesiser.")


@app.command()
def analyse(
    config: ConfigArgument,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Write statistics, histograms and correlations of the labels into output/analysis."""
    settings = _load(config, set_)
    output = _look(settings, "analyse", overwrite, dry_run)
    if output.is_done or dry_run:
        _say(output, f"statistics and histograms of the labels: {output.why}")
        return
    from conditioned_synthesis.analyse import analyse as run

    _say(output, f"analysing the labels ({output.why})")
    found = run(settings, output)
    best = found["recommended_control"]
    advice = f"{best} is nearest to evenly spread ({found['controls'][best]['evenness']:.2f})" if best else "no label varies"
    _say(output, f"{found['n_clips']} clips, {', '.join(found['controls'])}; {advice}")


@app.command()
def balance(
    config: ConfigArgument,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Write a subset in which one control's labels are evenly spread into output/balanced, a dataset folder."""
    settings = _load(config, set_)
    output = _look(settings, "balance", overwrite, dry_run)
    if output.is_done or dry_run:
        from conditioned_synthesis.balance import select

        dataset = _labelled_if_there(settings.labelled)
        plan = select(dataset.metadata, dataset.controls, settings.balance) if dataset else "a balanced subset"
        _say(output, f"{plan}: {output.why}")
        return
    from conditioned_synthesis.balance import balance as run

    _say(output, f"balancing ({output.why})")
    _say(output, str(run(settings, output)))


@app.command()
def export(
    config: ConfigArgument,
    set_: SetOption = None,
    workers: WorkersOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Write the clips as MTCRNN reads them, wavs and .params, into output/mtcrnn."""
    settings = _load(config, set_)
    output = _look(settings, "export", overwrite, dry_run)
    if output.is_done or dry_run:
        dataset = _labelled_if_there(settings.exported_folder)
        _say(output, f"{_size(dataset, settings.export.sample_rate) if dataset else 'the clips'}: {output.why}")
        return
    from conditioned_synthesis.export import export as run

    _say(output, f"exporting ({output.why})")
    _say(output, str(run(settings, output, workers=workers)))


@app.command()
def import_mtcrnn(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Wavs as MTCRNN reads them.")],
    output: Annotated[Path, typer.Option(metavar="DATASET", help="The dataset folder to write.")],
    params: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where the .params files are, if elsewhere.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a dataset that is there.")] = False,
    debug: DebugOption = False,
) -> None:
    """Make a dataset folder of a folder of MTCRNN's: its sounds, and the trajectories of its controls."""
    from conditioned_synthesis.import_mtcrnn import import_mtcrnn as run
    from texturelib.errors import TextureError, UsageError
    from texturelib.files import shown

    for given in (folder, params or folder):
        if not given.is_dir():
            raise TextureError(f"{shown(given)}: no such folder")
    is_import = (output / "trajectories").is_dir()
    if output.exists() and not (is_import and overwrite):
        hint = "--overwrite replaces it" if is_import else "name a new folder"
        raise UsageError(f"--output: {shown(output)} is there already; {hint}")
    print(f"{shown(output)}: {run(folder, params or folder, output)}")


def _load(config: Path, overrides: list[str] | None) -> "SynthesisConfig":
    from conditioned_synthesis.config import SynthesisConfig
    from texturelib.config import load_config

    return load_config(config, SynthesisConfig, overrides or [])


def _look(settings: "SynthesisConfig", command: str, overwrite: bool, dry_run: bool) -> "Output":
    """command: also the name of the config's section that its result depends on."""
    from texturelib.errors import TextureError
    from texturelib.files import shown
    from texturelib.outputs import look_at_output

    folder, name, source, maker = {
        "analyse": (settings.analysis_folder, "labelled", settings.labelled, "domain-adaptation label"),
        "balance": (settings.balanced_folder, "labelled", settings.labelled, "domain-adaptation label"),
        "export": (
            settings.mtcrnn_folder,
            settings.export.source,
            settings.exported_folder,
            "conditioned-synthesis balance" if settings.export.source == "balanced" else "domain-adaptation label",
        ),
    }[command]
    if not source.exists() and not dry_run:
        raise TextureError(f'{shown(source)}: no such folder; run "{maker}" first')
    return look_at_output(
        settings,
        f"conditioned-synthesis {command}",
        folder=folder,
        only={command},
        inputs={name: source},
        overwrite=overwrite,
        dry_run=dry_run,
    )


def _labelled_if_there(folder: Path) -> "Dataset | None":
    from conditioned_synthesis.labels import read_labelled

    # dataset.json is the last of a dataset folder's files.
    return read_labelled(folder) if (folder / "dataset.json").exists() else None


def _size(dataset: "Dataset", sample_rate: int) -> str:
    seconds = len(dataset) * dataset.seconds
    return f"{len(dataset)} clips of {dataset.seconds:g} s, {seconds / 3600:.2f} h, {seconds * sample_rate * 2 / 1e6:.1f} MB"


def _say(output: "Output", what: str) -> None:
    from texturelib.files import shown

    print(f"{shown(output.folder)}: {what}")


def main() -> None:
    run_app(app, "conditioned-synthesis")

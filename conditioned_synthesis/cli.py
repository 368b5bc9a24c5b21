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

app = make_app("Analyse labelled recordings, balance and export them; train a conditioned synthesiser, and play it.")


@app.command()
def analyse(
    config: ConfigArgument,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Write statistics, histograms and correlations of the labels into output/analysis."""
    from conditioned_synthesis.commands import look

    settings = _load(config, set_)
    output = look(settings, "analyse", overwrite=overwrite, dry_run=dry_run)
    if output.is_done or dry_run:
        _say(output, f"statistics and histograms of the labels: {output.why}")
        return
    from conditioned_synthesis.labels.analyse import analyse as run

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
    from conditioned_synthesis.commands import look

    settings = _load(config, set_)
    output = look(settings, "balance", overwrite=overwrite, dry_run=dry_run)
    if output.is_done or dry_run:
        from conditioned_synthesis.labels.balance import select

        dataset = _labelled_if_there(settings.labelled)
        plan = select(dataset.metadata, dataset.controls, settings.balance) if dataset else "a balanced subset"
        _say(output, f"{plan}: {output.why}")
        return
    from conditioned_synthesis.labels.balance import balance as run

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
    from conditioned_synthesis.commands import look

    settings = _load(config, set_)
    output = look(settings, "export", overwrite=overwrite, dry_run=dry_run)
    if output.is_done or dry_run:
        dataset = _labelled_if_there(settings.exported_folder)
        _say(output, f"{_size(dataset, settings.export.sample_rate) if dataset else 'the clips'}: {output.why}")
        return
    from conditioned_synthesis.data.export import export as run

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
    from conditioned_synthesis.data.import_dataset import import_mtcrnn as run
    from conditioned_synthesis.data.import_dataset import is_import
    from texturelib.errors import TextureError, UsageError
    from texturelib.files import shown

    for given in (folder, params or folder):
        if not given.is_dir():
            raise TextureError(f"{shown(given)}: no such folder")
    if output.exists() and not (overwrite and is_import(output)):
        hint = "--overwrite replaces it" if is_import(output) else "name a new folder"
        raise UsageError(f"--output: {shown(output)} is there already; {hint}")
    print(f"{shown(output)}: {run(folder, params or folder, output)}")


@app.command()
def train(
    config: ConfigArgument,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Train the synthesiser on the exported clips, or on `train.sounds`, into output/synthesiser, a model folder."""
    from conditioned_synthesis.commands import look

    settings = _load(config, set_)
    settings.wanted_synthesiser()  # before anything else
    output = look(settings, "train", overwrite=overwrite, dry_run=dry_run)
    if output.is_done or dry_run:
        _say(output, f"a synthesiser: {output.why}")
        return
    from conditioned_synthesis.training.command import train as run

    _say(output, f"training the synthesiser ({output.why})")
    metrics = run(settings, output)
    _say(output, f"loss on held-out clips {metrics['validation_loss']:.4f} {metrics['loss_in_words']}, {metrics['step']} steps")


@app.command()
def linearise(
    config: ConfigArgument,
    set_: SetOption = None,
    workers: WorkersOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Make the sliders linear, as a labeller hears them, into output/instrument, a model folder with the same weights."""
    from conditioned_synthesis.commands import look

    settings = _load(config, set_)
    settings.wanted_synthesiser()  # these before anything else
    settings.wanted_linearise()
    settings.wanted_labeller()
    output = look(settings, "linearise", overwrite=overwrite, dry_run=dry_run)
    if output.is_done or dry_run:
        _say(output, f"an instrument with linear sliders: {output.why}")
        return
    from conditioned_synthesis.evaluation.labeller import load_labeller
    from conditioned_synthesis.evaluation.linearise import linearise as run

    labeller = load_labeller(settings.wanted_labeller())
    _say(output, f"making the sliders linear ({output.why})")
    for note in run(settings, output, labeller, workers):
        _say(output, f"note: {note}")
    _say(output, "an instrument with linear sliders")


@app.command()
def evaluate(
    config: ConfigArgument,
    set_: SetOption = None,
    workers: WorkersOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Measure how well the synthesiser follows its controls and sounds like the clips, into output/evaluation."""
    from conditioned_synthesis.commands import look

    settings = _load(config, set_)
    settings.wanted_synthesiser()  # these before anything else
    settings.wanted_evaluate()
    settings.wanted_labeller()
    output = look(settings, "evaluate", overwrite=overwrite, dry_run=dry_run)
    if output.is_done or dry_run:
        _say(output, f"how well the synthesiser follows its controls: {output.why}")
        return
    from conditioned_synthesis.evaluation.command import evaluate as run
    from conditioned_synthesis.evaluation.labeller import load_labeller

    labeller = load_labeller(settings.wanted_labeller())
    _say(output, f"measuring the synthesiser ({output.why})")
    found = run(settings, output, labeller, workers)
    for note in found.notes:
        _say(output, f"note: {note}")
    print(f"\n{found.markdown()}\n")
    _say(output, "index.html shows and plays it")


@app.command()
def generate(
    config: Annotated[Path | None, typer.Argument(metavar="CONFIG", help="The JSON config.")] = None,
    set_: SetOption = None,
    model: Annotated[Path | None, typer.Option(metavar="FOLDER", help="A model folder, instead of the config's.")] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.wav", help="One sound to make; else examples of all controls are.")
    ] = None,
    control: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Or NAME=TIME:VALUE,TIME:VALUE...; or a .npy file. Repeatable; else the middle."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.05, max=86400, help="Of the sound.")] = 5.0,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Another seed is another sound of the same kind.")] = 0,
    temperature: Annotated[float, typer.Option(min=0.01, help="Below 1 tamer, above 1 wilder.")] = 1.0,
    prime: Annotated[Path | None, typer.Option(metavar="SOUND", help="A sound that it goes on from.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Rougher, where that is faster.")] = False,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    debug: DebugOption = False,
) -> None:
    """Play a trained synthesiser: examples of what each control does, into output/examples, or one sound as asked for."""
    from conditioned_synthesis.commands import look
    from texturelib.errors import UsageError

    settings = _load(config, set_) if config else None
    if settings is None and model is None:
        raise UsageError("generate: name a config, or a model folder with --model")
    if output:
        from conditioned_synthesis.instrument.generate import Wish, generate_sound

        folder = model or settings.played_folder  # type: ignore[union-attr]
        generate_sound(folder, output, Wish(control or [], seconds, seed, temperature, prime, fast), overwrite, dry_run)
        return
    if settings is None or model or control or prime:
        raise UsageError("generate: --output FILE.wav should name the sound that is asked for")
    settings.wanted_synthesiser()  # before anything else
    examples = look(settings, "generate", overwrite=overwrite, dry_run=dry_run)
    if examples.is_done or dry_run:
        _say(examples, f"examples of what each control does: {examples.why}")
        return
    from conditioned_synthesis.instrument.generate import generate_examples as run

    _say(examples, f"playing examples ({examples.why})")
    n_sounds, notes = run(settings, examples)
    if notes:
        _say(examples, f"note: {notes[0]}" + (f", and {len(notes) - 1} more are no better" if len(notes) > 1 else ""))
    _say(examples, f"{n_sounds} sounds")


@app.command()
def export_onnx(
    model: Annotated[Path, typer.Option(metavar="FOLDER", help="The model folder.")],
    output: Annotated[Path, typer.Option(metavar="FILE.onnx", help="The file to write.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    debug: DebugOption = False,
) -> None:
    """Make one ONNX file of a model folder, which other runtimes play without this toolkit."""
    from conditioned_synthesis.exporters.onnx import export_onnx as run
    from texturelib.files import shown

    about = run(model, output, overwrite)
    print(f"{shown(output)}: {len(about['sliders'])} sliders, {about['sample_rate']} Hz, {output.stat().st_size / 1e6:.1f} MB")


@app.command()
def import_model(
    checkpoint: Annotated[Path, typer.Argument(metavar="MODEL.pkl", help="What MTCRNN saved: model_<step>.pkl.")],
    output: Annotated[Path, typer.Option(metavar="FOLDER", help="The model folder to write.")],
    control: Annotated[list[str] | None, typer.Option(metavar="NAME", help="In the order of --prop. Repeatable.")] = None,
    sample_rate: Annotated[int, typer.Option(min=1000, help="Of the sounds that it learnt from.")] = 16000,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model that is there.")] = False,
    debug: DebugOption = False,
) -> None:
    """Make a model folder, which `generate --model` plays, of a checkpoint of MTCRNN's."""
    from conditioned_synthesis.instrument.import_checkpoint import import_model as run
    from texturelib.files import shown

    about = run(checkpoint, output, control or [], sample_rate, overwrite)
    settings = about.synthesiser
    print(f"{shown(output)}: {settings.n_layers} x {settings.hidden_size} units, controls {', '.join(about.names) or 'none'}")  # type: ignore[attr-defined]


def _load(config: Path, overrides: list[str] | None) -> "SynthesisConfig":
    from conditioned_synthesis.config import SynthesisConfig
    from texturelib.config import load_config

    return load_config(config, SynthesisConfig, overrides or [])


def _labelled_if_there(folder: Path) -> "Dataset | None":
    from conditioned_synthesis.labels.table import read_labelled

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

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
    from conditioned_synthesis.import_mtcrnn import is_import
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
    settings = _load(config, set_)
    settings.wanted_synthesiser()  # before anything else
    output = _look(settings, "train", overwrite, dry_run)
    if output.is_done or dry_run:
        _say(output, f"a synthesiser: {output.why}")
        return
    from conditioned_synthesis.train import train as run

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
    settings = _load(config, set_)
    settings.wanted_synthesiser()  # these before anything else
    settings.wanted_linearise()
    settings.wanted_labeller()
    output = _look(settings, "linearise", overwrite, dry_run)
    if output.is_done or dry_run:
        _say(output, f"an instrument with linear sliders: {output.why}")
        return
    from conditioned_synthesis.labeller import load_labeller
    from conditioned_synthesis.linearise import linearise as run

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
    settings = _load(config, set_)
    settings.wanted_synthesiser()  # these before anything else
    settings.wanted_evaluate()
    settings.wanted_labeller()
    output = _look(settings, "evaluate", overwrite, dry_run)
    if output.is_done or dry_run:
        _say(output, f"how well the synthesiser follows its controls: {output.why}")
        return
    from conditioned_synthesis.evaluate import evaluate as run
    from conditioned_synthesis.labeller import load_labeller

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
    from texturelib.errors import UsageError

    settings = _load(config, set_) if config else None
    if settings is None and model is None:
        raise UsageError("generate: name a config, or a model folder with --model")
    if output:
        from conditioned_synthesis.generate import Wish, generate_sound

        folder = model or settings.played_folder  # type: ignore[union-attr]
        generate_sound(folder, output, Wish(control or [], seconds, seed, temperature, prime, fast), overwrite, dry_run)
        return
    if settings is None or model or control or prime:
        raise UsageError("generate: --output FILE.wav should name the sound that is asked for")
    settings.wanted_synthesiser()  # before anything else
    examples = _look(settings, "generate", overwrite, dry_run)
    if examples.is_done or dry_run:
        _say(examples, f"examples of what each control does: {examples.why}")
        return
    from conditioned_synthesis.generate import generate_examples as run

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
    from conditioned_synthesis.export_onnx import export_onnx as run
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
    from conditioned_synthesis.import_model import import_model as run
    from texturelib.files import shown

    about = run(checkpoint, output, control or [], sample_rate, overwrite)
    settings = about.synthesiser
    print(f"{shown(output)}: {settings.n_layers} x {settings.hidden_size} units, controls {', '.join(about.names) or 'none'}")  # type: ignore[attr-defined]


def _load(config: Path, overrides: list[str] | None) -> "SynthesisConfig":
    from conditioned_synthesis.config import SynthesisConfig
    from texturelib.config import load_config

    return load_config(config, SynthesisConfig, overrides or [])


def _look(settings: "SynthesisConfig", command: str, overwrite: bool, dry_run: bool) -> "Output":
    from texturelib.errors import TextureError
    from texturelib.files import shown
    from texturelib.outputs import look_at_output

    exported_by = "conditioned-synthesis balance" if settings.export.source == "balanced" else "domain-adaptation label"
    labelled = ("labelled", settings.labelled, "domain-adaptation label")
    sounds = ("sounds", settings.sounds_folder, "conditioned-synthesis export")
    synthesiser = ("synthesiser", settings.synthesiser_folder, "conditioned-synthesis train")
    instrument = ("instrument", settings.linearised_folder, "conditioned-synthesis linearise")
    labeller = [("labeller", settings.labeller, "domain-adaptation adapt")] if settings.labeller else []
    also = settings.evaluate.also if settings.evaluate else {}
    others = [(f"evaluate.also.{name}", folder, "conditioned-synthesis train") for name, folder in also.items()]
    linearised = [instrument] if settings.linearise else []
    folder, inputs = {
        "analyse": (settings.analysis_folder, [labelled]),
        "balance": (settings.balanced_folder, [labelled]),
        "export": (settings.mtcrnn_folder, [(settings.export.source, settings.exported_folder, exported_by)]),
        "train": (settings.synthesiser_folder, [sounds]),
        "linearise": (settings.linearised_folder, [synthesiser, *labeller]),
        "generate": (settings.examples_folder, linearised or [synthesiser]),
        "evaluate": (settings.evaluation_folder, [synthesiser, *linearised, sounds, *labeller, *others]),
    }[command]
    for name, source, maker in inputs:
        if not source.exists() and not dry_run:
            key = f"{name}: " if name == "labeller" or name in dict.fromkeys(other for other, _, _ in others) else ""
            raise TextureError(f'{key}{shown(source)}: no such folder; run "{maker}" first')
    return look_at_output(
        settings,
        f"conditioned-synthesis {command}",
        folder=folder,
        only={command, "synthesiser", "compute"} if command == "train" else {command},
        inputs={name: source for name, source, _ in inputs},
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

"""The command line of stage 4."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from conditioned_synthesis.commands import COMMANDS, GENERATE
from texturelib.command_line import (
    DryRunOption,
    OverwriteOption,
    SetOption,
    add_command,
    make_app,
    perform,
    run_app,
)
from texturelib.errors import TextureError, UsageError

app = make_app(
    "Analyse labelled recordings, balance and export them; train a conditioned synthesiser, and play it."
)

for each in COMMANDS:
    if each is not GENERATE:
        add_command(app, each)


@app.command()
def import_mtcrnn(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Wavs as MTCRNN reads them.")],
    output: Annotated[Path, typer.Option(metavar="DATASET", help="The dataset folder to write.")],
    params: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the .params files are, if elsewhere."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a dataset that is there.")
    ] = False,
) -> None:
    """Make a dataset folder of a folder in MTCRNN's format: its sounds, and the trajectories of its
    controls."""
    from conditioned_synthesis.data.import_dataset import import_mtcrnn as run
    from conditioned_synthesis.data.import_dataset import is_import
    from texturelib.files import shown

    for given in (folder, params or folder):
        if not given.is_dir():
            raise TextureError(f"{shown(given)}: no such folder")
    if output.exists() and not (overwrite and is_import(output)):
        hint = "--overwrite replaces it" if is_import(output) else "name a new folder"
        raise UsageError(f"--output: {shown(output)} is there already; {hint}")
    print(f"{shown(output)}: {run(folder, params or folder, output)}")


@app.command(help=GENERATE.help)
def generate(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="The JSON config.")
    ] = None,
    set_: SetOption = None,
    model: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="A model folder, instead of the config's.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.wav", help="One sound to make; else examples of all controls are."
        ),
    ] = None,
    control: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Or NAME=TIME:VALUE,TIME:VALUE...; or a .npy file. Repeatable; else the middle.",
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.05, max=86400, help="Of the sound.")] = 5.0,
    seed: Annotated[
        int,
        typer.Option(min=0, max=2**32 - 1, help="Another seed is another sound of the same kind."),
    ] = 0,
    temperature: Annotated[
        float, typer.Option(min=0.01, help="Below 1 tamer, above 1 wilder.")
    ] = 1.0,
    prime: Annotated[
        Path | None, typer.Option(metavar="SOUND", help="A sound that it goes on from.")
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Rougher, where that is faster.")] = False,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    if config is None and model is None:
        raise UsageError("generate: name a config, or a model folder with --model")
    if output:
        from conditioned_synthesis.config import SynthesisConfig
        from conditioned_synthesis.instrument.generate import GenerateRequest, generate_sound
        from texturelib.config import load_config

        folder = model or load_config(config, SynthesisConfig, set_ or []).played_folder  # type: ignore[arg-type]
        generate_sound(
            folder,
            output,
            GenerateRequest(control or [], seconds, seed, temperature, prime, fast),
            overwrite,
            dry_run,
        )
        return
    if config is None or model or control or prime:
        raise UsageError("generate: --output FILE.wav should name the sound that is asked for")
    perform(GENERATE, config, set_, dry_run=dry_run, overwrite=overwrite)


ModelOption = Annotated[Path, typer.Option(metavar="FOLDER", help="The model folder.")]
ReplaceOption = Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")]
PrecisionOption = Annotated[
    Literal["float16", "float32"],
    typer.Option(
        help="Of the weights of a texenv; float16 is half the size, and 60 dB from exact."
    ),
]
QualityOption = Annotated[
    Literal["lossless", "high", "small"],
    typer.Option(help="Of the recordings in grains: high adds noise 30 dB below them, small 18."),
]


@app.command()
def play(
    model: ModelOption,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.wav", help="Play to a file in real time, instead of a sound card."
        ),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.05, help="When it ends; else with Ctrl-C or the key q.")
    ] = None,
    block: Annotated[
        int,
        typer.Option(
            min=0, max=65536, help="Samples rendered at a time; four are the delay. 0: some 20 ms."
        ),
    ] = 0,
    seed: Annotated[
        int,
        typer.Option(min=0, max=2**32 - 1, help="Another seed is another sound of the same kind."),
    ] = 0,
    level: Annotated[
        float, typer.Option(metavar="DB", help="0 is as loud as the recordings; -60 is silent.")
    ] = 0.0,
    temperature: Annotated[
        float, typer.Option(min=0.01, help="Below 1 tamer, above 1 wilder.")
    ] = 1.0,
    fast: Annotated[bool, typer.Option("--fast", help="Rougher, where that is faster.")] = False,
    device: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The sound card: a part of its name, or its number."),
    ] = None,
    osc_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where OSC messages are taken; 0: a free port.")
    ] = 9000,
    no_osc: Annotated[bool, typer.Option("--no-osc", help="Take no OSC messages.")] = False,
    host: Annotated[
        str,
        typer.Option(
            help="The address that takes OSC messages; one of a network lets other machines send them."
        ),
    ] = "127.0.0.1",
    midi: Annotated[
        str | None, typer.Option(metavar="PORT", help="A MIDI port: a part of its name.")
    ] = None,
    midi_map: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            help="Which knob moves which slider; else a file in your config folder.",
        ),
    ] = None,
    overwrite: ReplaceOption = False,
) -> None:
    """Play a model folder live, on a sound card or to a file: its sliders are moved with keys, over
    OSC, and by knobs over MIDI."""
    from conditioned_synthesis.live.command import PlayRequest
    from conditioned_synthesis.live.command import play as run

    port = None if no_osc else osc_port
    request = PlayRequest(
        output=output,
        overwrite=overwrite,
        seconds=seconds,
        block=block,
        seed=seed,
        temperature=temperature,
        fast=fast,
        level_db=level,
        device=device,
        host=host,
        osc_port=port,
        midi=midi,
        midi_map=midi_map,
    )
    run(model, request)


@app.command()
def export_onnx(
    model: ModelOption,
    output: Annotated[Path, typer.Option(metavar="FILE.onnx", help="The file to write.")],
    overwrite: ReplaceOption = False,
) -> None:
    """Export a model folder as one ONNX file, which other runtimes play without this toolkit."""
    from conditioned_synthesis.exporters.onnx import export_onnx as run
    from texturelib.files import shown

    spec = run(model, output, overwrite)
    print(
        f"{shown(output)}: {len(spec['sliders'])} sliders, {spec['sample_rate']} Hz, {output.stat().st_size / 1e6:.1f} MB"
    )


@app.command()
def export_page(
    model: ModelOption,
    output: Annotated[Path, typer.Option(metavar="FILE.html", help="The file to write.")],
    title: Annotated[str, typer.Option(help="Of the page; else the file's name.")] = "",
    precision: PrecisionOption = "float16",
    quality: QualityOption = "high",
    overwrite: ReplaceOption = False,
) -> None:
    """Export a model folder as one HTML file, which any browser plays from disk."""
    from conditioned_synthesis.exporters.page import export_page as run

    _say_written(output, run(model, output, precision, title, overwrite, quality))


@app.command()
def export_portable(
    model: ModelOption,
    output: Annotated[Path, typer.Option(metavar="FILE.texinst", help="The file to write.")],
    precision: PrecisionOption = "float16",
    quality: QualityOption = "high",
    overwrite: ReplaceOption = False,
) -> None:
    """Export a model folder as one small file, which the players in C and in browsers read."""
    from conditioned_synthesis.exporters.portable import export_portable as run

    _say_written(output, run(model, output, precision, overwrite, quality))


@app.command()
def export_c(
    model: ModelOption,
    output: Annotated[
        Path,
        typer.Option(
            metavar="FILE.texinst", help="The file to write; the code is written beside it."
        ),
    ],
    precision: PrecisionOption = "float16",
    quality: QualityOption = "high",
    overwrite: ReplaceOption = False,
) -> None:
    """Export a model folder for programs in C: the portable file, a player of one header without
    dependencies, and a program that renders a sound with it."""
    from conditioned_synthesis.exporters.portable import export_c as run

    _say_written(output, run(model, output, precision, overwrite, quality))
    print("cc -O3 -o render render.c -lm builds the program that lies beside it")


@app.command()
def export_pd(
    model: ModelOption,
    output: Annotated[
        Path,
        typer.Option(
            metavar="FILE.texinst",
            help="The file to write; the patch and the object are written beside it.",
        ),
    ],
    precision: PrecisionOption = "float16",
    quality: QualityOption = "high",
    overwrite: ReplaceOption = False,
) -> None:
    """Export a model folder for Pure Data: a patch that plays it, and the object [texture~], built
    where a C compiler and Pd's header are."""
    from conditioned_synthesis.exporters.puredata import export_pd as run

    header, not_built = run(model, output, precision, overwrite, quality)
    _say_written(output, header)
    if not_built:
        print(f"note: [texture~] was not built: {not_built}; its source lies beside the patch")


@app.command()
def export_nn_tilde(
    model: ModelOption,
    output: Annotated[
        Path,
        typer.Option(
            metavar="FILE.ts",
            help="The file to write; its name gets the rate, as NAME_b64_r48000_z2.ts.",
        ),
    ],
    sample_rate: Annotated[
        int,
        typer.Option(min=8000, max=192000, help="Of Max or Pd, in Hz; it is fixed in the file."),
    ] = 48000,
    overwrite: ReplaceOption = False,
) -> None:
    """Export a model folder for nn~, an object of Max and Pure Data: TorchScript, with an inlet for
    each slider."""
    from conditioned_synthesis.exporters.nn_tilde import export_nn_tilde as run

    _say_written(*run(model, output, sample_rate, overwrite))


@app.command()
def export_plugin(
    model: ModelOption,
    output: Annotated[
        Path,
        typer.Option(
            metavar="NAME.lv2|.vst3|.clap",
            help="The plugin to build; its ending says which kind. A .lv2 and a .vst3 are folders.",
        ),
    ],
    precision: PrecisionOption = "float16",
    quality: QualityOption = "high",
    overwrite: ReplaceOption = False,
) -> None:
    """Build a plugin for DAWs of a model folder: a parameter for each slider, in its unit. It takes a
    C++ compiler and DPF (Debian: g++, dpf-source)."""
    from conditioned_synthesis.exporters.plugin import export_plugin as run
    from texturelib.files import shown

    header = run(model, output, precision, overwrite, quality)
    print(f"{shown(output)}: {len(header['sliders'])} sliders")


def _say_written(path: Path, header: Mapping[str, Any]) -> None:
    from texturelib.files import shown

    kilobytes = path.stat().st_size / 1e3
    print(f"{shown(path)}: {len(header['sliders'])} sliders, {kilobytes:.0f} kB")


@app.command()
def listening_results(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="What listening-test wrote, with the listeners' files in its folder answers.",
        ),
    ],
) -> None:
    """Write what the answers to a listening test say, with confidence intervals, into
    FOLDER/results."""
    from conditioned_synthesis.listening.answers import KEY
    from conditioned_synthesis.listening.results import RESULTS, write_results
    from texturelib.files import shown
    from texturelib.made import named_by_the_user

    if not (folder / KEY).is_file():
        raise TextureError(
            f"{shown(folder)}: no listening test, as it has no {KEY}; name a folder that listening-test wrote"
        )
    with named_by_the_user():
        words = write_results(folder)
    print(f"{shown(folder / RESULTS)}: {words}")


@app.command()
def import_model(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="MODEL.pkl", help="What MTCRNN saved: model_<step>.pkl.")
    ],
    output: Annotated[Path, typer.Option(metavar="FOLDER", help="The model folder to write.")],
    control: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="In the order of --prop. Repeatable.")
    ] = None,
    sample_rate: Annotated[
        int, typer.Option(min=1000, help="Of the sounds that it learnt from.")
    ] = 16000,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a model that is there.")
    ] = False,
) -> None:
    """Make a model folder, which `generate --model` plays, of a checkpoint of MTCRNN."""
    from conditioned_synthesis.instrument.import_checkpoint import import_model as run
    from texturelib.files import shown

    spec = run(checkpoint, output, control or [], sample_rate, overwrite)
    settings: Any = spec.synthesiser
    print(
        f"{shown(output)}: {settings.n_layers} x {settings.hidden_size} units, controls {', '.join(spec.names) or 'none'}"
    )


def main() -> None:
    run_app(app, "conditioned-synthesis")

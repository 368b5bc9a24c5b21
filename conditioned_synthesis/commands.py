"""The commands of stage 4 that take a config."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from texturelib.commands import Command, Input, say

if TYPE_CHECKING:
    from conditioned_synthesis.config import SynthesisConfig
    from texturelib.dataset import Dataset
    from texturelib.outputs import Output


def _labelled(settings: "SynthesisConfig") -> Iterator[Input]:
    yield Input("labelled", settings.labelled, "domain-adaptation label")


def _exported(settings: "SynthesisConfig") -> Iterator[Input]:
    is_balanced = settings.export.source == "balanced"
    maker = "conditioned-synthesis balance" if is_balanced else "domain-adaptation label"
    yield Input(settings.export.source, settings.exported_folder, maker)


def _recorded(settings: "SynthesisConfig") -> Iterator[Input]:
    # Either of them may have made it; the sentence that names them has quotes around both.
    makers = 'real-datasets build" or "domain-adaptation label'
    yield Input("labelled", settings.labelled, makers, is_key=True)


def _sounds(settings: "SynthesisConfig") -> Iterator[Input]:
    maker = "augment" if settings.augment else "export"
    yield Input("sounds", settings.sounds_folder, f"conditioned-synthesis {maker}")


def _synthesiser(settings: "SynthesisConfig") -> Iterator[Input]:
    yield Input("synthesiser", settings.synthesiser_folder, "conditioned-synthesis train")


def _labeller(settings: "SynthesisConfig") -> Iterator[Input]:
    if settings.labeller:
        yield Input("labeller", settings.labeller, "domain-adaptation adapt", is_key=True)


def _played(settings: "SynthesisConfig") -> Iterator[Input]:
    if settings.linearise:
        yield Input("instrument", settings.linearised_folder, "conditioned-synthesis linearise")
    else:
        yield from _synthesiser(settings)


def _measured(settings: "SynthesisConfig") -> Iterator[Input]:
    yield from _synthesiser(settings)
    if settings.linearise:
        yield from _played(settings)
    yield from _sounds(settings)
    yield from _labeller(settings)
    for name, path in (settings.evaluate.also if settings.evaluate else {}).items():
        yield Input(f"evaluate.also.{name}", path, "conditioned-synthesis train", is_key=True)
    if settings.evaluate and settings.evaluate.embedding:
        yield Input("evaluate.embedding.path", settings.evaluate.embedding.path, is_key=True)


def _listened_to(settings: "SynthesisConfig") -> Iterator[Input]:
    models = settings.listening.models if settings.listening else {}
    for name, path in models.items():
        yield Input(f"listening.models.{name}", path, "conditioned-synthesis train", is_key=True)
    if not models:
        yield from _played(settings)
    yield from _sounds(settings)


def _linearised_from(settings: "SynthesisConfig") -> Iterator[Input]:
    yield from _synthesiser(settings)
    yield from _labeller(settings)
    if not settings.labeller:  # the laws are calibrated on them
        yield from _sounds(settings)


def _analyse(settings: "SynthesisConfig", output: "Output", _: int | None) -> str:
    from conditioned_synthesis.labels.analyse import analyse

    found = analyse(settings, output)
    best = found["recommended_control"]
    advice = (
        f"{best} is nearest to evenly spread ({found['controls'][best]['evenness']:.2f})"
        if best
        else "no label varies"
    )
    return f"{found['n_clips']} clips, {', '.join(found['controls'])}; {advice}"


def _balance(settings: "SynthesisConfig", output: "Output", _: int | None) -> str:
    from conditioned_synthesis.labels.balance import balance

    return str(balance(settings, output))


def _choice(settings: "SynthesisConfig") -> str:
    from conditioned_synthesis.labels.balance import select

    dataset = _if_there(settings.labelled)
    return (
        str(select(dataset.metadata, dataset.controls, settings.balance))
        if dataset
        else BALANCE.plan(settings)
    )


def _export(settings: "SynthesisConfig", output: "Output", workers: int | None) -> str:
    from conditioned_synthesis.data.export import export

    return str(export(settings, output, workers=workers))


def _size(settings: "SynthesisConfig") -> str:
    dataset = _if_there(settings.exported_folder)
    if dataset is None:
        return EXPORT.plan(settings)
    seconds = len(dataset) * dataset.seconds
    megabytes = seconds * settings.export.sample_rate * 2 / 1e6
    return (
        f"{len(dataset)} clips of {dataset.seconds:g} s, {seconds / 3600:.2f} h, {megabytes:.1f} MB"
    )


def _if_there(folder: Path) -> "Dataset | None":
    from conditioned_synthesis.labels.table import read_labelled

    # dataset.json is the last of a dataset folder's files.
    return read_labelled(folder) if (folder / "dataset.json").exists() else None


def _augment(settings: "SynthesisConfig", output: "Output", workers: int | None) -> str:
    from conditioned_synthesis.augmentation.command import augment

    made = augment(settings, output, workers=workers)
    for note in made.notes:
        say(output, f"note: {note}")
    return str(made)


def _what_is_recorded(settings: "SynthesisConfig") -> str:
    from conditioned_synthesis.augmentation.command import plan_clips
    from texturelib.dataset import read_dataset

    if not (settings.labelled / "dataset.json").exists():
        return AUGMENT.plan(settings)
    plan = plan_clips(read_dataset(settings.labelled), settings.wanted_augment())
    lines = [f"{AUGMENT.plan(settings)} from {len(plan.recordings)} recordings"]
    lines += [f"{name}: {reason}: left out" for name, reason in plan.too_short.items()]
    return "\n".join(lines)


def _problem_with_memory(settings: "SynthesisConfig", workers: int | None) -> str | None:
    from conditioned_synthesis.augmentation.clip_memory import problem_with_memory

    return problem_with_memory(settings, workers)


def _n_clips(settings: "SynthesisConfig") -> str:
    return f"{settings.augment.n_clips} clips" if settings.augment else "no clips"


def _train(settings: "SynthesisConfig", output: "Output", _: int | None) -> str:
    from conditioned_synthesis.instrument.card import loss_in_words, training_in_words
    from conditioned_synthesis.training.command import train

    metrics = train(settings, output)
    return f"{training_in_words(metrics)}. {loss_in_words(metrics)}"


def _linearise(settings: "SynthesisConfig", output: "Output", workers: int | None) -> str:
    from conditioned_synthesis.evaluation.labeller import load_labeller
    from conditioned_synthesis.evaluation.linearise import linearise

    labeller = load_labeller(settings.labeller) if settings.labeller else None
    for note in linearise(settings, output, labeller, workers):
        say(output, f"note: {note}")
    return "linear sliders"


def _generate(settings: "SynthesisConfig", output: "Output", _: int | None) -> str:
    from conditioned_synthesis.instrument.generate import generate_examples

    n_sounds, notes = generate_examples(settings, output)
    if notes:
        say(
            output,
            f"note: {notes[0]}"
            + (f", and {len(notes) - 1} more are no better" if len(notes) > 1 else ""),
        )
    return f"{n_sounds} sound{'' if n_sounds == 1 else 's'}"


def _evaluate(settings: "SynthesisConfig", output: "Output", workers: int | None) -> str:
    from conditioned_synthesis.evaluation.command import evaluate
    from conditioned_synthesis.evaluation.labeller import load_labeller

    labeller = load_labeller(settings.labeller) if settings.labeller else None
    found = evaluate(settings, output, labeller, workers)
    for note in found.notes:
        say(output, f"note: {note}")
    print(f"\n{found.markdown()}\n")
    return "index.html shows and plays it"


def _listening_test(settings: "SynthesisConfig", output: "Output", _: int | None) -> str:
    from conditioned_synthesis.listening.make import make_test

    return make_test(settings, output)


def _robustness(settings: "SynthesisConfig", output: "Output", workers: int | None) -> str:
    from conditioned_synthesis.robustness.command import measure_robustness

    markdown, notes = measure_robustness(settings, output, workers)
    for note in notes:
        say(output, f"note: {note}")
    print(f"\n{markdown}")
    return "robustness.png shows it"


_command = partial(
    Command, "conditioned-synthesis", config="conditioned_synthesis.config:SynthesisConfig"
)

ANALYSE = _command(
    "analyse",
    "Write statistics, histograms and correlations of the labels into output/analysis.",
    folder=lambda settings: settings.analysis_folder,
    inputs=_labelled,
    plan=lambda _: "statistics and histograms of the labels",
    run=_analyse,
    keys=frozenset({"analyse"}),
)
BALANCE = _command(
    "balance",
    "Write a subset in which one control's labels are evenly spread into output/balanced, a dataset folder.",
    folder=lambda settings: settings.balanced_folder,
    inputs=_labelled,
    plan=lambda _: "a balanced subset",
    look_ahead=_choice,
    run=_balance,
    keys=frozenset({"balance"}),
)
EXPORT = _command(
    "export",
    "Write the clips as MTCRNN reads them, wavs and .params, into output/mtcrnn.",
    folder=lambda settings: settings.mtcrnn_folder,
    inputs=_exported,
    plan=lambda _: "the clips as MTCRNN reads them",
    look_ahead=_size,
    run=_export,
    keys=frozenset({"export"}),
    has_workers=True,
)
AUGMENT = _command(
    "augment",
    "Make evenly spread, labelled clips from recordings, slowed down and layered, into output/augmented, a dataset folder.",
    folder=lambda settings: settings.augmented_folder,
    inputs=_recorded,
    plan=_n_clips,
    look_ahead=_what_is_recorded,
    run=_augment,
    problem=_problem_with_memory,
    keys=frozenset({"augment"}),
    needs=("augment",),
    has_workers=True,
)
TRAIN = _command(
    "train",
    "Train the synthesiser on the exported or augmented clips, or on `train.sounds`, into output/synthesiser, a model folder.",
    folder=lambda settings: settings.synthesiser_folder,
    inputs=_sounds,
    plan=lambda _: "a synthesiser",
    run=_train,
    keys=frozenset({"train", "synthesiser", "compute"}),
    needs=("synthesiser",),
)
LINEARISE = _command(
    "linearise",
    "Make the sliders linear, as a labeller or the laws read them, into output/instrument, a model folder with the same weights.",
    folder=lambda settings: settings.linearised_folder,
    inputs=_linearised_from,
    plan=lambda _: "an instrument with linear sliders",
    run=_linearise,
    keys=frozenset({"linearise"}),
    needs=("synthesiser", "linearise", "reader"),
    has_workers=True,
)
GENERATE = _command(
    "generate",
    "Play a trained synthesiser: examples of what each control does, into output/examples, or one sound as asked for.",
    folder=lambda settings: settings.examples_folder,
    inputs=_played,
    plan=lambda _: "examples of what each control does",
    run=_generate,
    keys=frozenset({"generate"}),
    needs=("synthesiser",),
)
EVALUATE = _command(
    "evaluate",
    "Measure how well the synthesiser follows its controls and sounds like the clips, into output/evaluation.",
    folder=lambda settings: settings.evaluation_folder,
    inputs=_measured,
    plan=lambda _: "how well the synthesiser follows its controls",
    run=_evaluate,
    keys=frozenset({"evaluate"}),
    needs=("synthesiser", "evaluate", "reader"),
    has_workers=True,
)
LISTENING_TEST = _command(
    "listening-test",
    "Make a page on which people rate and compare sounds of models and held-out clips, into output/listening.",
    folder=lambda settings: settings.listening_folder,
    inputs=_listened_to,
    plan=lambda _: "a listening test",
    run=_listening_test,
    keys=frozenset({"listening"}),
    needs=("listening",),
)
ROBUSTNESS = _command(
    "robustness",
    "Measure how much noise each representation of sounds can bear, into output/robustness.",
    folder=lambda settings: settings.robustness_folder,
    inputs=_sounds,
    plan=lambda _: "how much noise representations can bear",
    run=_robustness,
    keys=frozenset({"robustness"}),
    needs=("robustness",),
    has_workers=True,
)

COMMANDS = (
    ANALYSE,
    BALANCE,
    EXPORT,
    AUGMENT,
    TRAIN,
    LINEARISE,
    GENERATE,
    EVALUATE,
    LISTENING_TEST,
    ROBUSTNESS,
)

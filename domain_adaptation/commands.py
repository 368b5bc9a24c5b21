"""The commands of stage 3 that take a config."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from texturelib.commands import Command, Input

if TYPE_CHECKING:
    from domain_adaptation.config import AdaptationConfig
    from texturelib.outputs import Output

    Inputs = Callable[[AdaptationConfig], Iterator[Input]]

_PROGRAM = "domain-adaptation"
_FOLDERS = {
    "train-extractor": "extractor",
    "train-scale": "scale",
    "train-classifier": "classifier",
    "adapt": "adapted",
    "label": "labels",
    "evaluate": "evaluation",
}


def _sets(*names: str) -> "Inputs":
    return lambda settings: (Input(name, getattr(settings, name)) for name in names)


def _made_by(settings: "AdaptationConfig", *commands: str) -> Iterator[Input]:
    for command in commands:
        folder = _FOLDERS[command]
        yield Input(folder, settings.output / folder, f"{_PROGRAM} {command}")


def _of_classifier(settings: "AdaptationConfig") -> Iterator[Input]:
    yield from _sets("synthetic", "real")(settings)
    yield from _made_by(settings, "train-extractor")


def _of_adaptation(settings: "AdaptationConfig") -> Iterator[Input]:
    yield from _of_classifier(settings)
    if settings.adaptation.needs_classifier:
        yield from _made_by(settings, "train-classifier")


def _of_labels(settings: "AdaptationConfig") -> Iterator[Input]:
    yield from _sets("real")(settings)
    yield from _made_by(settings, "train-extractor", "adapt")
    if settings.scale_folder is not None:
        yield from _sets("synthetic")(settings)
        yield from _of_scale_model(settings)


def _of_scale_model(settings: "AdaptationConfig") -> Iterator[Input]:
    if settings.scale_model:
        yield Input("scale_model", settings.scale_model, is_key=True)
    else:
        yield from _made_by(settings, "train-scale")


def _of_scale(settings: "AdaptationConfig") -> Iterator[Input]:
    yield from _sets("synthetic")(settings)
    if settings.scale:
        yield Input("scale.recordings", settings.scale.recordings, is_key=True)


def _of_evaluation(settings: "AdaptationConfig") -> Iterator[Input]:
    yield from _sets("synthetic")(settings)
    wanted = settings.evaluation
    if wanted and wanted.truth:
        yield from _sets("real")(settings)
        yield Input("evaluation.truth", wanted.truth, is_key=True)
    if wanted and wanted.recordings:
        yield Input("evaluation.recordings", wanted.recordings, is_key=True)


def _train_extractor(settings: "AdaptationConfig", output: "Output", _: int | None) -> str:
    from domain_adaptation.training.extractor import train_extractor

    return f"mean absolute error {train_extractor(settings, output):.4f} on test clips"


def _train_scale(settings: "AdaptationConfig", output: "Output", _: int | None) -> str:
    from domain_adaptation.scale.command import train_scale

    slope = train_scale(settings, output)
    return f"of a change of speed, it hears {slope:.0%} in recordings that it never heard (median)"


def _train_classifier(settings: "AdaptationConfig", output: "Output", _: int | None) -> str:
    from domain_adaptation.training.classifier import train_classifier

    return f"{train_classifier(settings, output):.1%} of test clips told apart"


def _adapt(settings: "AdaptationConfig", output: "Output", _: int | None) -> str:
    from domain_adaptation.adaptation.command import adapt

    judgement = adapt(settings, output)
    if settings.adaptation.type == "none":
        return "kept as it was trained"
    return f"{'adapted' if judgement.is_kept else 'not adapted'}: {judgement.why}"


def _label(settings: "AdaptationConfig", output: "Output", workers: int | None) -> str:
    from domain_adaptation.labelling.dataset import label

    summary = label(settings, output, workers=workers)
    inside = summary["share_of_labels_within_0_1"]["after"]
    return f"{summary['n_clips']} clips labelled, {inside:.1%} of the labels within 0..1"


def _evaluate(settings: "AdaptationConfig", output: "Output", _: int | None) -> str:
    from domain_adaptation.evaluation.command import evaluate

    return f"{len(evaluate(settings, output))} measurements, see report.md"


def _methods(settings: "AdaptationConfig") -> str:
    wanted = settings.wanted_evaluation()
    return f"{len(wanted.methods)} methods, {len(wanted.seeds)} seeds"


def _command(
    name: str,
    help: str,
    inputs: "Inputs",
    plan: "Callable[[AdaptationConfig], str]",
    run: "Callable[[AdaptationConfig, Output, int | None], str]",
    *keys: str,
    needs: tuple[str, ...] = (),
    has_workers: bool = False,
) -> Command:
    def folder(settings: "AdaptationConfig") -> Path:
        return settings.output / _FOLDERS[name]

    config = "domain_adaptation.config:AdaptationConfig"
    return Command(
        _PROGRAM,
        name,
        help,
        config,
        folder,
        inputs,
        plan,
        run,
        keys=frozenset(keys),
        needs=needs,
        has_workers=has_workers,
    )


TRAIN_EXTRACTOR = _command(
    "train-extractor",
    "Train the network that reads the controls from a synthetic clip.",
    _sets("synthetic"),
    lambda settings: f"{settings.extractor.epochs} epochs",
    _train_extractor,
    *("seed", "split", "features", "network", "extractor"),
)
TRAIN_SCALE = _command(
    "train-scale",
    "Train the network that hears relative scale, from recordings of anything.",
    _of_scale,
    lambda settings: f"{settings.scale.epochs if settings.scale else 0} epochs",
    _train_scale,
    *("seed", "features", "scale"),
    needs=("scale",),
)
TRAIN_CLASSIFIER = _command(
    "train-classifier",
    "Train the network that tells real clips from synthetic ones.",
    _of_classifier,
    lambda settings: f"{settings.classifier.epochs} epochs",
    _train_classifier,
    *("seed", "split", "features", "network", "classifier"),
)
ADAPT = _command(
    "adapt",
    "Adapt the extractor's encoder to the real clips, without labels.",
    _of_adaptation,
    lambda settings: f'method "{settings.adaptation.type}"',
    _adapt,
    *("seed", "split", "features", "network", "adaptation"),
    *("adapts_from", "scale", "scale_model"),
)
LABEL = _command(
    "label",
    "Label the real clips of a config, or any folder of sounds with --model, --audio and --output.",
    _of_labels,
    lambda _: "labels for every real clip",
    _label,
    *("features", "scale_model"),
    has_workers=True,
)
EVALUATE = _command(
    "evaluate",
    "Compare methods of adaptation: on simulated recordings with hidden truth, and by slowing real ones down.",
    _of_evaluation,
    _methods,
    _evaluate,
    *("seed", "split", "features", "network", "extractor", "classifier", "evaluation"),
    needs=("evaluation",),
)

COMMANDS = (TRAIN_EXTRACTOR, TRAIN_SCALE, TRAIN_CLASSIFIER, ADAPT, LABEL, EVALUATE)

"""What each command of stage 3 reads, which folder it writes, and whether that is there already."""

from pathlib import Path

from domain_adaptation.config import AdaptationConfig
from texturelib.errors import TextureError
from texturelib.files import shown
from texturelib.outputs import Output, look_at_output

_FOLDERS = {
    "train-extractor": "extractor",
    "train-classifier": "classifier",
    "adapt": "adapted",
    "label": "labels",
    "evaluate": "evaluation",
}

# What each command's result depends on: keys of the config, and folders that are read.
_DEPENDS_ON = {
    "train-extractor": ({"seed", "split", "features", "network", "extractor"}, ["synthetic"]),
    "train-classifier": ({"seed", "split", "features", "network", "classifier"}, ["synthetic", "real", "extractor"]),
    "adapt": ({"seed", "split", "features", "network", "adaptation"}, ["synthetic", "real", "extractor"]),
    "label": ({"features"}, ["real", "extractor", "adapted"]),
    "evaluate": ({"seed", "split", "features", "network", "extractor", "classifier", "evaluation"}, ["synthetic"]),
}


def inputs_of(settings: AdaptationConfig, command: str) -> dict[str, Path]:
    """-> by name: the files and folders that it reads."""
    sets = {"synthetic": settings.synthetic, "real": settings.real}
    inputs = {name: sets.get(name, settings.output / name) for name in _DEPENDS_ON[command][1]}
    if command == "adapt" and settings.adaptation.needs_classifier:
        inputs["classifier"] = settings.output / "classifier"
    if command == "evaluate" and settings.evaluation:
        if settings.evaluation.truth:
            inputs |= {"real": settings.real, "evaluation.truth": settings.evaluation.truth}
        if settings.evaluation.recordings:
            inputs["evaluation.recordings"] = settings.evaluation.recordings
    return inputs


def folder_of(settings: AdaptationConfig, command: str) -> Path:
    return settings.output / _FOLDERS[command]


def look(settings: AdaptationConfig, command: str, *, overwrite: bool = False, dry_run: bool = False) -> Output:
    """Errors: TextureError when a network that it needs was never trained; else as `look_at_output`."""
    inputs = inputs_of(settings, command)
    makers = {folder: maker for maker, folder in _FOLDERS.items()}
    for name, path in inputs.items():
        if name in makers and not path.exists() and not dry_run:
            raise TextureError(f'{shown(path)}: no such folder; run "domain-adaptation {makers[name]}" first')
    return look_at_output(
        settings,
        f"domain-adaptation {command}",
        folder=folder_of(settings, command),
        only=_DEPENDS_ON[command][0],
        inputs=inputs,
        overwrite=overwrite,
        dry_run=dry_run,
    )

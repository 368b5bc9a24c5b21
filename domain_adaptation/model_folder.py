"""Model folders: weights that know their own shape, their features and their controls."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import PositiveFloat, PositiveInt, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from domain_adaptation.extractor_network import Extractor, make_classifier
from domain_adaptation.features import Features, features
from domain_adaptation.networks import Network, networks
from texturelib.config import Config
from texturelib.errors import TextureError, UsageError, first_line
from texturelib.files import shown, whole_file

_WEIGHTS = "model.safetensors"


class About(Config):
    """What a model folder says of an extractor: all that is needed to label clips with it."""

    network: Annotated[Network, networks]
    features: Annotated[Features, features]
    input_shape: tuple[PositiveInt, ...]
    """Of one clip's features."""
    controls: tuple[dict[str, Any], ...]
    """As dataset.json of the synthetic set describes them."""
    sample_rate: PositiveInt
    """Of the clips, as is `seconds`."""
    seconds: PositiveFloat
    interval: tuple[PositiveFloat, ...] | None = None
    """Per control, by what the network's spread is multiplied to give half the width of a 90 % interval; null: unknown."""

    @property
    def names(self) -> list[str]:
        return [control["name"] for control in self.controls]


@dataclass(frozen=True)
class Model:
    """An extractor and what it reads."""

    extractor: Extractor
    about: About

    def with_extractor(self, extractor: Extractor) -> "Model":
        return replace(self, extractor=extractor)

    def half_widths(self, spread: np.ndarray) -> np.ndarray | None:
        """spread: [clips, controls], as read -> half the width of each label's 90 % interval; None: nothing is known of it."""
        return None if self.about.interval is None else spread * np.array(self.about.interval, dtype=np.float32)


class _AboutClassifier(Config):
    n_layers: PositiveInt
    negative_slope: float
    n_features: PositiveInt


def new_model(about: About) -> Model:
    """-> with fresh weights, from torch's generator as it stands."""
    return Model(Extractor(about.network, about.input_shape, len(about.controls)), about)


def check_same_features(folder: Path, model: Model, features: Features) -> None:
    """Errors: UsageError when the config's features are not those that the model learnt from."""
    if model.about.features != features:
        raise UsageError(
            f"features: are not those that {shown(folder)} learnt from; change them back, or train it anew (train-extractor "
            "--overwrite)"
        )


def save_model(folder: Path, model: Model) -> None:
    _save(folder, model.extractor, model.about.model_dump(mode="json"))


def load_model(folder: Path) -> Model:
    """-> with the extractor in evaluation mode, on the CPU. Errors: TextureError."""
    weights, about = _load(folder, About)
    model = new_model(about)
    _fill(folder, model.extractor, weights)
    return model


def save_classifier(folder: Path, classifier: nn.Module, n_layers: int, negative_slope: float, n_features: int) -> None:
    _save(folder, classifier, {"n_layers": n_layers, "negative_slope": negative_slope, "n_features": n_features})


def load_classifier(folder: Path) -> nn.Module:
    """-> the classifier in evaluation mode, frozen. Errors: TextureError."""
    weights, about = _load(folder, _AboutClassifier)
    classifier = make_classifier(about.n_layers, about.negative_slope, about.n_features)
    _fill(folder, classifier, weights)
    return classifier.requires_grad_(False)


def check_same_controls(models: Mapping[Path, Sequence[str]]) -> None:
    """models: folder -> its controls. Errors: TextureError when they differ."""
    (first, names), *others = models.items()
    for folder, other in others:
        if list(other) != list(names):
            raise TextureError(
                f"{shown(folder)}: reads {', '.join(other)}, but {shown(first)} reads {', '.join(names)}; train it anew"
            )


def _save(folder: Path, module: nn.Module, about: Mapping[str, Any]) -> None:
    weights = {name: value.contiguous() for name, value in module.state_dict().items()}
    with whole_file(folder / _WEIGHTS) as part:
        save_file(weights, part, metadata={"about": json.dumps(about)})


def _load(folder: Path, about_class: type[Config]) -> tuple[dict[str, torch.Tensor], Any]:
    path = folder / _WEIGHTS
    if not path.exists():
        raise TextureError(f"{shown(path)}: no such file; name a model folder, or train that network first")
    try:
        with safe_open(path, framework="pt") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return weights, about_class.model_validate_json(file.metadata()["about"])
    except (SafetensorError, OSError, KeyError, TypeError, ValidationError) as error:
        reason = first_line(error)
        raise TextureError(f"{shown(path)}: not a model of this toolkit that fits here ({reason})") from None


def _fill(folder: Path, module: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        reason = first_line(error)
        raise TextureError(f"{shown(folder / _WEIGHTS)}: its weights do not fit its network ({reason})") from None
    module.eval()

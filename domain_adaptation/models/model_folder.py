"""Model folders: weights together with their shape, features and controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import nn

from domain_adaptation.data.waveforms import prepared
from domain_adaptation.features import Features, features
from domain_adaptation.models.extractor import Extractor, make_classifier
from domain_adaptation.networks import Network, networks
from texturelib.config import Config
from texturelib.controls import WholeDescription
from texturelib.errors import TextureError, UsageError, first_line
from texturelib.files import shown
from texturelib.learning.weights import WEIGHTS, fill, load_weights, of_the_size_of, save_weights


class ModelSpec(Config):
    """The description of an extractor in its model folder: all that is needed to label clips with
    it."""

    network: Annotated[Network, networks]
    features: Annotated[Features, features]
    input_shape: tuple[PositiveInt, ...]
    """Shape of one clip's features."""
    controls: Annotated[tuple[WholeDescription, ...], Field(min_length=1)]
    """The controls that the extractor reads, as dataset.json of the synthetic set describes
    them."""
    sample_rate: Annotated[int, Field(ge=1, le=384000)]
    """Sample rate of the clips, in Hz; `seconds` is their length."""
    seconds: Annotated[float, Field(gt=0, le=86400)]
    interval: tuple[PositiveFloat, ...] | None = None
    """Factor per control from the network's Laplace scale to half the width of a 90 % interval;
    null: unknown."""

    @model_validator(mode="before")
    @classmethod
    def _hears_as_it_learnt(cls, spec: Any) -> Any:
        """Keep the mean of the clips for networks saved before `remove_mean` existed, which learnt
        from clips with their mean."""
        found = spec.get("features") if isinstance(spec, dict) else None
        if (
            isinstance(found, dict)
            and found.get("type") in ("mel", "waveform")
            and "remove_mean" not in found
        ):
            return spec | {"features": found | {"remove_mean": False}}
        return spec

    @model_validator(mode="after")
    def _fits_together(self) -> "ModelSpec":
        if len(set(self.names)) < len(self.names):
            raise ValueError("controls: two have the same name")
        if self.interval is not None and len(self.interval) != len(self.controls):
            raise ValueError(
                f"interval: has {len(self.interval)} numbers for {len(self.controls)} controls"
            )
        return self

    @property
    def names(self) -> list[str]:
        return [control["name"] for control in self.controls]


@dataclass(frozen=True)
class Model:
    """An extractor, and the description of what it reads."""

    extractor: Extractor
    spec: ModelSpec

    def with_extractor(self, extractor: Extractor) -> "Model":
        return replace(self, extractor=extractor)

    def half_widths(self, scale: np.ndarray) -> np.ndarray | None:
        """Return half the width of each label's 90 % interval, None where intervals are unknown.

        scale: [clips, controls], as the extractor gives it.
        """
        return (
            None
            if self.spec.interval is None
            else scale * np.array(self.spec.interval, dtype=np.float32)
        )


class _ClassifierSpec(Config):
    n_layers: Annotated[int, Field(ge=1, le=64)]
    negative_slope: float
    n_features: PositiveInt


def new_model(spec: ModelSpec) -> Model:
    """Return a model with random weights from torch's global generator."""
    return Model(Extractor(spec.network, spec.input_shape, len(spec.controls)), spec)


def check_same_features(folder: Path, model: Model, features: Features) -> None:
    """Check that the config's features are those that the model was trained with.

    Errors: UsageError when they are not.
    """
    if model.spec.features != features:
        raise UsageError(
            f"features: are not those that {shown(folder)} learnt from; change them back, or train it anew (train-extractor "
            "--overwrite)"
        )


def save_model(folder: Path, model: Model) -> None:
    save_weights(folder, model.extractor, model.spec.model_dump(mode="json"))


def load_model(folder: Path) -> Model:
    """Load an extractor, in evaluation mode, on the CPU. Errors: TextureError."""
    weights, spec = load_weights(folder, ModelSpec)
    with of_the_size_of(folder / WEIGHTS, weights):
        model = new_model(spec)
    fill(folder, model.extractor, weights)
    _check_reads(folder, model)
    return model


_LONGEST_TRIED = 2**22  # samples


def _check_reads(folder: Path, model: Model) -> None:
    """Check, with a single clip, that the model's network can read its features.

    Errors: TextureError when they do not go together.
    """
    spec = model.spec
    n_samples = round(spec.seconds * spec.sample_rate)
    if n_samples > _LONGEST_TRIED:
        return
    clip = torch.sin(torch.arange(n_samples) / 3).unsqueeze(0)
    try:
        with torch.inference_mode():
            model.extractor.read(
                spec.features.compute(prepared(clip, spec.sample_rate, spec.features.sample_rate))
            )
    except (RuntimeError, ValueError, IndexError, TextureError) as error:
        raise TextureError(
            f"{shown(folder / WEIGHTS)}: it cannot read a clip ({first_line(error)})"
        ) from None


def save_classifier(
    folder: Path, classifier: nn.Module, n_layers: int, negative_slope: float, n_features: int
) -> None:
    save_weights(
        folder,
        classifier,
        {"n_layers": n_layers, "negative_slope": negative_slope, "n_features": n_features},
    )


def load_classifier(folder: Path) -> nn.Module:
    """Load a classifier, in evaluation mode, frozen. Errors: TextureError."""
    weights, spec = load_weights(folder, _ClassifierSpec)
    with of_the_size_of(folder / WEIGHTS, weights):
        classifier = make_classifier(spec.n_layers, spec.negative_slope, spec.n_features)
    fill(folder, classifier, weights)
    return classifier.requires_grad_(False)


def check_same_controls(models: Mapping[Path, Sequence[str]]) -> None:
    """Check that all models have the same controls.

    models: folder -> its controls. Errors: TextureError when they differ.
    """
    (first, names), *others = models.items()
    for folder, other in others:
        if list(other) != list(names):
            raise TextureError(
                f"{shown(folder)}: reads {', '.join(other)}, but {shown(first)} reads {', '.join(names)}; train it anew"
            )

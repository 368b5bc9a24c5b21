"""What the network of relative scale says: a logarithm, described as controls are."""

import math

import torch

from domain_adaptation.config import AdaptationConfig
from domain_adaptation.features import Features
from domain_adaptation.models.model_folder import ModelSpec
from texturelib.controls import Control
from texturelib.dataset import read_description

SCALE = 0
"""The place of the scale in the network's output."""
CONTROLS = (
    Control(
        "scale",
        *(1.0, math.e, "times", "exponential"),
        description="how much slower the sound is played than another one, as a logarithm",
        laws={"slow_down": 1.0, "mixing": 0.0},
    ),
)
"""What the network reads, as controls: the unit of their sliders is ln."""


def scale_spec(config: AdaptationConfig, clips: torch.Tensor) -> ModelSpec:
    """Return the description of a network of relative scale.

    clips: [2, samples] at the features' sample rate, as long as those of the synthetic set.
    """
    plain = for_recordings(config.features)
    description = read_description(config.synthetic)
    return ModelSpec(
        network=config.wanted_scale().network,
        features=plain,
        input_shape=tuple(plain.compute(clips).shape[1:]),
        controls=tuple(control.describe() for control in CONTROLS),
        sample_rate=description["sample_rate"],
        seconds=description["seconds"],
    )


def for_recordings(features: Features) -> Features:
    """Return the features without what makes synthetic clips more like recordings."""
    synthetic_only = [name for name in ("noise", "randomise") if getattr(features, name, None)]
    return features.model_copy(update=dict.fromkeys(synthetic_only))  # type: ignore[attr-defined]

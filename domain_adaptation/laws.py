"""How well labels of clips keep to the engine's laws when the clips are played slower."""

from collections.abc import Mapping

import numpy as np
import torch

from domain_adaptation.model_folder import About, Model
from domain_adaptation.reading import read_waveforms
from domain_adaptation.scaling import slow_down_slopes, slowed
from domain_adaptation.sets import controls_of

_SPEEDS = (0.7, 0.85, 1.0, 1.2, 1.4)

LabelsAtSpeeds = Mapping[float, np.ndarray]
"""By exact slow-down: labels [clips, controls] of the same clips."""


def labels_at_speeds(model: Model, clips: np.ndarray) -> LabelsAtSpeeds:
    """clips: [clips, samples] at the features' rate, of any level, none silent."""
    original = torch.from_numpy(clips).float()
    at_speeds = [slowed(original, speed) for speed in _SPEEDS]
    return {factor: read_waveforms(model, clips.numpy()).labels for clips, factor in at_speeds}


def law_slopes(about: About) -> dict[str, float]:
    """-> by control, how far its label should move per unit of ln(slow-down); none for those without a law."""
    slopes = slow_down_slopes(controls_of(about.controls))
    return {name: float(slope) for name, slope in zip(about.names, slopes, strict=True) if np.isfinite(slope)}


def fitted_slopes(labels: LabelsAtSpeeds) -> np.ndarray:
    """-> [controls], of the mean label per unit of ln(slow-down), by least squares."""
    means = np.stack([at_speed.mean(axis=0) for at_speed in labels.values()])
    return np.polyfit(np.log(list(labels)), means, 1)[0]


def law_broken_by(about: About, labels: LabelsAtSpeeds) -> float | None:
    """-> how far the labels of a clip at different speeds lie from where the laws put them, around their own mean: the mean over
    clips, speeds and controls with a law; None where there is none."""
    slopes = law_slopes(about)
    if not slopes:
        return None
    known = [about.names.index(name) for name in slopes]
    left = np.stack(
        [at_speed[:, known] - np.log(factor) * np.array(list(slopes.values())) for factor, at_speed in labels.items()]
    )
    return float(np.abs(left - left.mean(axis=0)).mean())

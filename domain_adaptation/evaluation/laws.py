"""How well labels keep to the engine's laws when clips are played slower, or several are added."""

from collections.abc import Mapping

import numpy as np
import torch

from domain_adaptation.data.sets import controls_of
from domain_adaptation.labelling.inference import read_waveforms
from domain_adaptation.models.model_folder import Model, ModelSpec
from domain_adaptation.training.augment.layers import equally_loud, layered
from domain_adaptation.training.augment.slow_down import most_slow_down, slowed
from texturelib.controls import Law

_SPEEDS = (0.7, 0.85, 1.0, 1.2, 1.4)
LAYERS = (1, 2, 4, 8)
"""Numbers of moments of a recording that are added for the mixing law."""
_BATCH = 64  # clips

LabelsAtSpeeds = Mapping[float, np.ndarray]
"""Labels [clips, controls] of the same clips, by exact slow-down, or by the number of layers."""


def can_be_slowed(model: Model) -> bool:
    """Return whether clips can be played at all test speeds without the end of their spectrum
    revealing the speed."""
    return max(_SPEEDS) <= most_slow_down(model.spec.features)


def labels_at_speeds(model: Model, clips: np.ndarray) -> LabelsAtSpeeds:
    """Return the labels of clips played at each of the test speeds.

    clips: [clips, samples] at the features' sample rate, of any level, none silent.
    """
    labels: dict[float, list[np.ndarray]] = {}
    for start in range(0, len(clips), _BATCH):
        batch = torch.from_numpy(clips[start : start + _BATCH]).float()
        for speed in _SPEEDS:
            played, factor = slowed(batch, speed)
            labels.setdefault(factor, []).append(read_waveforms(model, played.numpy()).labels)
    return {factor: np.concatenate(parts) for factor, parts in labels.items()}


def labels_in_layers(model: Model, clips: np.ndarray, sources: np.ndarray) -> LabelsAtSpeeds:
    """Return the labels of sums of clips of one recording, by the number of layers.

    clips: [clips, samples] at the features' sample rate, none silent. sources: [clips], the
    recording of each.
    """
    groups = [np.flatnonzero(sources == source) for source in np.unique(sources)]
    labels: dict[float, np.ndarray] = {}
    for n_layers in LAYERS:
        parts = []
        for rows in groups:
            batch = equally_loud(torch.from_numpy(clips[rows]).float())
            parts.append(read_waveforms(model, layered(batch, n_layers).numpy()).labels)
        labels[float(n_layers)] = np.concatenate(parts)
    return labels


def law_slopes(spec: ModelSpec, law: Law = "slow_down") -> dict[str, float]:
    """Return, by control, how far its label should move per unit of ln(slow-down), or of another
    change's logarithm.

    Controls without a law are left out.
    """
    slopes = {control.name: control.slope(law) for control in controls_of(spec.controls)}
    return {name: float(slope) for name, slope in slopes.items() if slope is not None}


def fitted_slopes(labels: LabelsAtSpeeds) -> np.ndarray:
    """Return the slope of the mean label per unit of the change's logarithm, by least squares.

    -> [controls]
    """
    means = np.stack([at_speed.mean(axis=0) for at_speed in labels.values()])
    return np.polyfit(np.log(list(labels)), means, 1)[0]


def law_broken_by(spec: ModelSpec, labels: LabelsAtSpeeds) -> float | None:
    """Return how far the slopes of the mean labels lie from those of the laws.

    The mean over the controls with a law; None where there is none. The slopes are of means, not of
    single clips: clip by clip, the noise of the labels would outweigh the law, and a model that
    always answers the same would look best.
    """
    wanted = law_slopes(spec)
    if not wanted:
        return None
    known = [spec.names.index(name) for name in wanted]
    return float(np.abs(fitted_slopes(labels)[known] - list(wanted.values())).mean())

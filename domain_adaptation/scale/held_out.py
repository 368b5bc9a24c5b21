"""How well a network of relative scale does on recordings that it never heard."""

import numpy as np
import torch

from domain_adaptation.labelling.inference import read_waveforms
from domain_adaptation.models.model_folder import Model
from domain_adaptation.scale.outputs import SCALE
from domain_adaptation.training.augment.slow_down import looped, slowed

_SPEEDS = (0.7, 0.85, 1.0, 1.2, 1.4)


def held_out_slopes(model: Model, recordings: np.ndarray, n_samples: int) -> np.ndarray:
    """Return the slope of the scale per ln(slow-down) on each recording, [recordings].

    recordings: [recordings, samples] int16.
    """
    rows = torch.from_numpy(recordings).float()
    n_clips = max(1, rows.shape[1] // n_samples)
    clips = looped(rows, n_samples)[:, : n_clips * n_samples].reshape(-1, n_samples)
    # So that no clip is silent.
    clips = clips + 1e-3 * torch.randn(clips.shape, generator=torch.Generator().manual_seed(0))
    points = []
    for speed in _SPEEDS:
        played, exact = slowed(clips, speed)
        points.append((np.log(exact), _means(model, played, n_clips)[:, SCALE]))
    return np.polyfit([x for x, _ in points], np.stack([y for _, y in points]), 1)[0]


def _means(model: Model, clips: torch.Tensor, n_clips: int) -> np.ndarray:
    labels = read_waveforms(model, clips.numpy()).labels
    return labels.reshape(-1, n_clips, labels.shape[1]).mean(axis=1)

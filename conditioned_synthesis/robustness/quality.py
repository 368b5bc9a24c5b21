"""Measures of the quality of a sound against the one that it was made of."""

import math
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import soxr
import torch

from conditioned_synthesis.dsp.texture_statistics import TextureStatistics
from conditioned_synthesis.robustness.settings import Measure
from texturelib.errors import UsageError

Quality = Callable[[torch.Tensor, torch.Tensor], float]
"""Called with sounds and the clips that they were made of, both [batch, samples], it returns their
mean quality."""

HIGHER_IS_BETTER = {"texture": False, "visqol": True, "pesq": True}
IN_WORDS = {
    "texture": "distance in texture statistics",
    "visqol": "ViSQOL, audio mode (MOS-LQO)",
    "pesq": "PESQ, wide band (MOS-LQO)",
}
_VISQOL_RATE, _PESQ_RATE = 48000, 16000
# A patch of its spectrograms is 0.6 s long, and it seeks them within the sound.
_LEAST_VISQOL_SECONDS = 1.0
_LOWEST_MODULATION_HZ, _HIGHEST_MODULATION_HZ = 2.0, 128.0


def quality_by(measure: Measure, sample_rate: int, n_samples: int) -> Quality:
    """Return a measure for sounds of that rate and length.

    Errors: UsageError when they are too short; ImportError where a package is missing.
    """
    if measure == "texture":
        return _texture(sample_rate, n_samples)
    if measure == "visqol":
        if n_samples < _LEAST_VISQOL_SECONDS * sample_rate:
            raise UsageError(
                f"robustness.measures: visqol takes clips of {_LEAST_VISQOL_SECONDS:g} s or more, not of "
                f"{n_samples / sample_rate:.3g} s"
            )
        api = import_module("visqol").VisqolApi()
        api.create(mode="audio")
        return partial(_each, partial(_visqol, api), sample_rate, _VISQOL_RATE)
    return partial(_each, partial(_pesq, import_module("pesq").pesq), sample_rate, _PESQ_RATE)


def _texture(sample_rate: int, n_samples: int) -> Quality:
    lowest = max(_LOWEST_MODULATION_HZ, 2 * sample_rate / n_samples)
    highest = min(_HIGHEST_MODULATION_HZ, sample_rate / 8)
    if 2 * lowest > highest:
        raise UsageError(
            f"robustness.measures: clips of {n_samples / sample_rate:.3g} s are too short for texture statistics"
        )
    statistics = TextureStatistics(
        sample_rate, n_samples, lowest_modulation_hz=lowest, highest_modulation_hz=highest
    )

    @torch.no_grad()
    def distance(sounds: torch.Tensor, clips: torch.Tensor) -> float:
        return float(statistics.loss(sounds, clips))

    return distance


def _each(
    score: Callable[[np.ndarray, np.ndarray], float],
    sample_rate: int,
    own_rate: int,
    sounds: torch.Tensor,
    clips: torch.Tensor,
) -> float:
    """Return the mean score, at the rate that the measure takes; NaN where it has none."""
    scores = []
    for sound, clip in zip(sounds.numpy(), clips.numpy(), strict=True):
        pair = [soxr.resample(each, sample_rate, own_rate) for each in (clip, sound)]
        scores.append(score(pair[0], pair[1]))
    return float(np.mean(scores)) if scores else math.nan


def _visqol(api: Any, clip: np.ndarray, sound: np.ndarray) -> float:
    found = api.measure_from_arrays(clip.astype(np.float64), sound.astype(np.float64), _VISQOL_RATE)
    return float(found.moslqo)


def _pesq(pesq: Callable[..., float], clip: np.ndarray, sound: np.ndarray) -> float:
    return float(pesq(_PESQ_RATE, clip, sound, "wb"))

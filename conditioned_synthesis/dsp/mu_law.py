"""Mu-law coding: sound in 256 steps, finer where it is quiet (ITU-T G.711's curve, with MTCRNN's
rounding)."""

import numpy as np

LEVELS = 256
SILENCE = 127
_MU = LEVELS - 1


def encode(samples: np.ndarray) -> np.ndarray:
    """Return the mu-law indices of samples.

    samples: any shape, -1..1 (clipped beyond) -> the same shape, uint8; 0.0 becomes 127.

    >>> encode(np.array([-1.0, 0.0, 1.0])).tolist()
    [0, 127, 255]
    """
    magnitude = np.log1p(_MU * np.abs(np.clip(samples, -1.0, 1.0))) / np.log1p(_MU)
    return np.floor((np.sign(samples) * magnitude + 1) * (_MU / 2)).astype(np.uint8)


def decode(indices: np.ndarray) -> np.ndarray:
    """Return the samples at the middle of each mu-law step.

    indices: any shape, 0..255 -> the same shape, float32.

    MTCRNN answers with a step's lower end instead, which turns silence into an offset.

    >>> decode(np.array([127])).tolist()
    [0.0]
    """
    level = np.clip((indices.astype(np.float64) + 0.5) / (_MU / 2) - 1, -1.0, 1.0)
    return (np.sign(level) * np.expm1(np.abs(level) * np.log1p(_MU)) / _MU).astype(np.float32)

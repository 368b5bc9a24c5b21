"""The recordings in a portable instrument: FLAC, which any program can open, and which is decoded by
some two hundred lines in any language.

Below lossless, each block is rounded to fewer bits than 16, which FLAC then leaves out. What rounding
adds has the spectrum of the block itself, so many dB below it (noise shaping by linear prediction; B.
Atal and M. Schroeder, "Predictive coding of speech signals and subjective error criteria", 1979).
"""

import io
import math

import numba
import numpy as np
import soundfile
from scipy.linalg import solve_toeplitz

from conditioned_synthesis.portable.instrument_file import Quality

_BLOCK = 4096  # samples; libFLAC's, so that each of its blocks has bits to leave out
_ORDER = 16  # of linear prediction
_BELOW_DB = {"high": 30.0, "small": 18.0}  # what rounding adds, below the sound


def to_flac(sounds: np.ndarray, sample_rate: int, quality: Quality) -> np.ndarray:
    """Return a FLAC file of sounds, [bytes] uint8. sounds: [samples, channels] int16."""
    if quality != "lossless":
        sounds = with_fewer_bits(sounds, _BELOW_DB[quality])
    file = io.BytesIO()
    soundfile.write(file, sounds, sample_rate, format="FLAC", subtype="PCM_16")
    return np.frombuffer(file.getvalue(), np.uint8)


def from_flac(content: np.ndarray) -> np.ndarray:
    """Return the sounds, [samples, channels] int16. Errors: soundfile.LibsndfileError."""
    sounds, _ = soundfile.read(io.BytesIO(content.tobytes()), dtype="int16", always_2d=True)
    return sounds


def with_fewer_bits(sounds: np.ndarray, below_db: float) -> np.ndarray:
    """Return sounds, each block of which is rounded to the largest power of 2 whose noise lies at
    least `below_db` below it. sounds: [samples, channels] int16 -> the same shape and type."""
    rounded = sounds.copy()
    for first in range(0, len(sounds), _BLOCK):
        for channel in range(sounds.shape[1]):
            block = sounds[first : first + _BLOCK, channel].astype(np.float64)
            predictor, power = _prediction(block)
            # Rounding to steps of s adds a power of s**2 / 12.
            largest = math.sqrt(12 * power * 10 ** (-below_db / 10))
            if largest >= 2:
                step = 2.0 ** math.floor(math.log2(largest))
                rounded[first : first + _BLOCK, channel] = _rounded(block, predictor, step)
    return rounded


def _prediction(block: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the coefficients that predict a sample from those before, the last first, and the power
    of what they leave."""
    windowed = block * np.hanning(len(block) + 2)[1:-1]
    lags = min(_ORDER, len(block) - 1) + 1
    spectrum = np.abs(np.fft.rfft(windowed, 2 * len(block))) ** 2
    correlation = np.fft.irfft(spectrum)[:lags] / max(1e-9, (np.hanning(len(block) + 2) ** 2).sum())
    correlation[0] = correlation[0] * (1 + 1e-9) + 1e-9  # so that silence has a prediction, too
    if lags < 2:
        return np.zeros(0), float(correlation[0])
    predictor = solve_toeplitz(correlation[:-1], correlation[1:])
    return predictor, float(max(0.0, correlation[0] - predictor @ correlation[1:]))


@numba.njit(cache=True)
def _rounded(block: np.ndarray, predictor: np.ndarray, step: float) -> np.ndarray:
    """Return the block in multiples of `step`, what is added having the spectrum of the prediction.
    [samples] -> [samples]"""
    out = np.empty(len(block))
    added = np.zeros(len(block))
    highest = np.floor(32767.0 / step) * step
    for index in range(len(block)):
        wanted = block[index]
        for lag in range(min(index, len(predictor))):
            wanted += predictor[lag] * added[index - 1 - lag]
        out[index] = min(max(np.rint(wanted / step) * step, -32768.0), highest)
        # Where it is limited, the rest is not made up for: it would sound on and on.
        added[index] = min(max(out[index] - block[index], -16.0 * step), 16.0 * step)
    return out

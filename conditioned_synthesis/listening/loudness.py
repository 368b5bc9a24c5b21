"""How loud a sound is to people."""

import math

import numpy as np
from scipy.signal import lfilter

_OFFSET_DB = -0.691  # so that a full-scale tone of 997 Hz in one channel is -3.01 LUFS


def loudness_lufs(samples: np.ndarray, sample_rate: int) -> float:
    """Return the loudness of a sound by ITU-R BS.1770-4, without its gates, as there are no pauses;
    -inf of silence.

    samples: [samples] or [samples, channels].

    >>> tone = np.sin(2 * np.pi * 997 * np.arange(48000) / 48000)
    >>> round(loudness_lufs(tone, 48000), 2)
    -3.01
    """
    weighted = np.asarray(samples, np.float64)
    for b, a in (_shelf(sample_rate), _high_pass(sample_rate)):
        weighted = np.asarray(lfilter(b, a, weighted, axis=0))
    power = float(np.mean(weighted**2, axis=0).sum())
    return _OFFSET_DB + 10 * math.log10(power) if power > 0 else -math.inf


# The standard gives coefficients for 48 kHz alone; these are the analogue filters behind them (B. De
# Man, "Evaluation of implementations of the EBU R128 loudness measurement", AES 2018).
def _shelf(sample_rate: int) -> tuple[list[float], list[float]]:
    k = math.tan(math.pi * 1681.9744509555319 / sample_rate)
    q = 0.7071752369554193
    high = 10 ** (3.99984385397 / 20)
    band = high**0.499666774155
    scale = 1 + k / q + k * k
    b = [high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k]
    return [each / scale for each in b], [1, 2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale]


def _high_pass(sample_rate: int) -> tuple[list[float], list[float]]:
    k = math.tan(math.pi * 38.13547087613982 / sample_rate)
    q = 0.5003270373253953
    scale = 1 + k / q + k * k
    return [1.0, -2.0, 1.0], [1, 2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale]

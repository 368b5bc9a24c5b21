"""The fire engine's inner loop, compiled: pockets of gas that burst."""

import numba
import numpy as np

_INAUDIBLE = 1e-3  # 60 dB below the crackle's own peak
MOST_DECAYS = float(-np.log(_INAUDIBLE))  # of the gas that flows out, until it is inaudible


@numba.njit(cache=True, fastmath=True)
def burst(
    starts: np.ndarray,
    peak: np.ndarray,
    frequency_hz: np.ndarray,
    emptying_seconds: np.ndarray,
    emptying_level: float,
    resonance: float,
    noise: np.ndarray,
    n_samples: int,
    sample_rate: int,
) -> np.ndarray:
    """Sum the crackles. The first four arrays are [crackles].

    Each is an impulse, then noise that dies away (1/e after emptying_seconds), through a band-pass:
    that of R. Bristow-Johnson's Audio EQ Cookbook with 0 dB at its peak, whose response to an
    impulse starts near 2 alpha / (1 + alpha) and sums to alpha / (1 + alpha) when squared. `peak`
    is the impulse's then, and emptying_level the root mean square of the noise at first, against
    that.

    starts: sample indices; those below 0 began before the sound does. noise: of variance 1, from as
    long before the sound as there are samples more than n_samples; each crackle uses that of its
    own time. -> [n_samples] float32
    """
    out = np.zeros(n_samples, np.float32)
    n_before = len(noise) - n_samples
    for crackle in range(len(starts)):
        # What resonates above what the rate can hold leaves its skirt.
        resonates_hz = min(frequency_hz[crackle], 0.45 * sample_rate)
        skirt = resonates_hz / frequency_hz[crackle]
        omega = 2 * np.pi * resonates_hz / sample_rate
        alpha = np.sin(omega) / (2 * resonance)
        b0 = alpha / (1 + alpha)
        a1 = -2 * np.cos(omega) / (1 + alpha)
        a2 = (1 - alpha) / (1 + alpha)
        level = emptying_level * peak[crackle] * skirt / np.sqrt(b0)
        decay = np.exp(-1 / (emptying_seconds[crackle] * sample_rate))

        rings_seconds = resonance / (np.pi * resonates_hz)
        flows = np.log(max(emptying_level, _INAUDIBLE) / _INAUDIBLE) * emptying_seconds[crackle]
        start = starts[crackle]
        end = min(n_samples, start + int((flows + MOST_DECAYS * rings_seconds) * sample_rate) + 2)
        x1 = x2 = y1 = y2 = 0.0
        x = 0.5 * peak[crackle] * skirt / b0
        for n in range(start, end):
            x += level * noise[n + n_before]
            level *= decay
            y = b0 * (x - x2) - a1 * y1 - a2 * y2
            x2, x1, y2, y1 = x1, x, y1, y
            if n >= 0:
                out[n] += y
            x = 0.0
    return out

"""The wind engine's inner loop, compiled: filters whose pitches and gains move."""

import numba
import numpy as np


@numba.njit(cache=True, fastmath=True)
def add_wakes(
    out: np.ndarray,
    noise: np.ndarray,
    frequency_hz: np.ndarray,
    gain: np.ndarray,
    q: float,
    is_band: bool,
    block: int,
    sample_rate: int,
) -> None:
    """Add to out, [samples] float32, each filter's noise through a band-pass, or a low-pass that
    resonates, times `gain`.

    noise: [samples, filters]. frequency_hz, gain: [blocks + 1, filters], at the blocks' edges; a
    block is `block` samples. Within it a gain runs straight to the next edge and a pitch stands
    still. From 0.35 times the sample rate on a filter gets softer, and at 0.45 it is silent. A
    band-pass has gain 1 at its centre, a low-pass at 0 Hz. They are state-variable filters, made
    digital by trapezoidal integration: they stay stable as they move.
    """
    n_filters = frequency_hz.shape[1]
    state1, state2 = np.zeros(n_filters), np.zeros(n_filters)
    a1, a2, g = np.zeros(n_filters), np.zeros(n_filters), np.zeros(n_filters)
    level, slope = np.zeros(n_filters), np.zeros(n_filters)
    scale = 1 / q if is_band else 1.0
    for index in range((len(out) + block - 1) // block):
        for i in range(n_filters):
            centre, next_centre = (
                frequency_hz[index, i] / sample_rate,
                frequency_hz[index + 1, i] / sample_rate,
            )
            g[i] = np.tan(np.pi * min(centre, 0.45))
            a1[i] = 1 / (1 + g[i] * (g[i] + 1 / q))
            a2[i] = g[i] * a1[i]
            level[i] = gain[index, i] * scale * min(1.0, max(0.0, (0.45 - centre) / 0.1))
            level_next = gain[index + 1, i] * scale * min(1.0, max(0.0, (0.45 - next_centre) / 0.1))
            slope[i] = (level_next - level[i]) / block
        for n in range(index * block, min((index + 1) * block, len(out))):
            total = 0.0
            for i in range(n_filters):
                v3 = noise[n, i] - state2[i]
                v1 = a1[i] * state1[i] + a2[i] * v3
                v2 = state2[i] + g[i] * v1
                state1[i] = 2 * v1 - state1[i]
                state2[i] = 2 * v2 - state2[i]
                total += level[i] * (v1 if is_band else v2)
                level[i] += slope[i]
            out[n] += total

"""The rain engine's inner loops, compiled: bursts of filtered noise, and dying sines."""

import numba
import numpy as np


@numba.njit(cache=True, fastmath=True)
def add_clicks(
    out: np.ndarray,
    starts: np.ndarray,
    amplitude: np.ndarray,
    frequency_hz: np.ndarray,
    decay_seconds: np.ndarray,
    q: float,
    inaudible: float,
    noise: np.ndarray,
    offsets: np.ndarray,
    sample_rate: int,
) -> None:
    """Add to out one burst of noise a drop: it begins at once, dies by e each `decay_seconds`, and
    has gone through a band-pass.

    out: [samples] float32. noise: [more than a burst's samples], of which a drop takes what begins
    at its offset. starts, amplitude, frequency_hz, decay_seconds, offsets: [drops]; what starts
    before out does only rings on into it. What is softer than `inaudible` is left out. The
    band-pass has two poles, made digital by the bilinear transform, and gain 1 at its centre.
    """
    for drop in range(len(starts)):
        start = starts[drop]
        n_loud = (
            np.log(max(amplitude[drop] / inaudible, 1.0)) * decay_seconds[drop]
            + 2 * q / frequency_hz[drop]
        )
        n_burst = min(int(n_loud * sample_rate) + 2, len(noise) - offsets[drop], len(out) - start)
        turn = 2 * np.pi * frequency_hz[drop] / sample_rate
        width = np.sin(turn) / (2 * q)
        c1 = 2 * np.cos(turn) / (1 + width)
        c2 = (1 - width) / (1 + width)
        fade = np.exp(-1 / (decay_seconds[drop] * sample_rate))
        level = amplitude[drop] * width / (1 + width)
        in1, in2, out1, out2 = 0.0, 0.0, 0.0, 0.0
        n_unheard = min(max(0, -start), n_burst)
        for n in range(n_unheard):
            now = level * noise[offsets[drop] + n]
            out1, out2 = c1 * out1 + ((now - in2) - c2 * out2), out1
            in1, in2 = now, in1
            level *= fade
        for n in range(n_unheard, n_burst):
            now = level * noise[offsets[drop] + n]
            out1, out2 = c1 * out1 + ((now - in2) - c2 * out2), out1
            in1, in2 = now, in1
            out[start + n] += out1
            level *= fade


@numba.njit(cache=True, fastmath=True)
def add_rings(
    out: np.ndarray,
    starts: np.ndarray,
    amplitude: np.ndarray,
    frequency_hz: np.ndarray,
    damping: np.ndarray,
    inaudible: float,
    sample_rate: int,
) -> None:
    """Add to out one dying sine a bubble. damping: in 1/s; all arrays but out [bubbles], as in
    `add_clicks`."""
    for bubble in range(len(starts)):
        start = starts[bubble]
        n_loud = np.log(max(amplitude[bubble] / inaudible, 1.0)) / damping[bubble]
        end = min(int(n_loud * sample_rate) + 1, len(out) - start)
        first = max(0, -start)
        # Sampled, it is a two-term recursion: x[n] = 2 r cos(w) x[n-1] - r^2 x[n-2].
        turn = 2 * np.pi * frequency_hz[bubble] / sample_rate
        fade = damping[bubble] / sample_rate
        last = amplitude[bubble] * np.exp(-fade * first) * np.sin(turn * first)
        before = amplitude[bubble] * np.exp(-fade * (first - 1)) * np.sin(turn * (first - 1))
        c1 = 2 * np.exp(-fade) * np.cos(turn)
        c2 = np.exp(-2 * fade)
        for n in range(first, end):
            out[start + n] += last
            last, before = c1 * last - c2 * before, last

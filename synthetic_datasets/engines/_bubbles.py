"""The liquid engine's inner loop, compiled: exponentially dying chirps on a limited number of voices."""

import numba
import numpy as np

_INAUDIBLE = np.log(1e-5)  # 100 dB below the bubble's own start: under the step of a 16-bit file for any clip in range


@numba.njit(cache=True, fastmath=True)
def ring(
    starts: np.ndarray,
    amplitude: np.ndarray,
    damping: np.ndarray,
    frequency_hz: np.ndarray,
    sweep_hz: np.ndarray,
    n_voices: int,
    n_samples: int,
    sample_rate: int,
) -> np.ndarray:
    """Sum the bubbles. All arrays [bubbles]; damping in 1/s, sweep in Hz per s.

    starts: rising sample indices; those below 0 began before the sound does, and ring on into it.
    A new bubble takes the voice that is quietest at that moment. From the voice's last output it fades to its own sound
    over its first period, so that taking a voice does not click. -> [n_samples] float32
    """
    out = np.zeros(n_samples, np.float32)
    bubble_of_voice = np.full(n_voices, -1, np.int64)
    last_output = np.zeros(n_voices)  # what the voice's bubble fades from
    log_amplitude = np.log(amplitude)
    for bubble in range(len(starts)):
        now = starts[bubble]
        voice = _quietest(bubble_of_voice, starts, log_amplitude, damping, now, sample_rate)
        taken = int(bubble_of_voice[voice])
        if taken >= 0:
            last_output[voice] = _ring_one(
                out, starts[taken], now, amplitude[taken], damping[taken], frequency_hz[taken], sweep_hz[taken],
                last_output[voice], sample_rate,
            )  # fmt: skip
        bubble_of_voice[voice] = bubble
    for voice in range(n_voices):
        taken = int(bubble_of_voice[voice])
        if taken >= 0:
            _ring_one(
                out, starts[taken], n_samples, amplitude[taken], damping[taken], frequency_hz[taken], sweep_hz[taken],
                last_output[voice], sample_rate,
            )  # fmt: skip
    return out


@numba.njit(cache=True)
def _quietest(
    bubble_of_voice: np.ndarray, starts: np.ndarray, log_amplitude: np.ndarray, damping: np.ndarray, now: int, sample_rate: int
) -> int:
    quietest, least = 0, np.inf
    for voice in range(len(bubble_of_voice)):
        bubble = bubble_of_voice[voice]
        if bubble < 0:
            return voice
        level = log_amplitude[bubble] - damping[bubble] * (now - starts[bubble]) / sample_rate
        if level < least:
            quietest, least = voice, level
    return quietest


@numba.njit(cache=True, fastmath=True)
def _ring_one(
    out: np.ndarray,
    start: int,
    end: int,
    amplitude: float,
    damping: float,
    frequency_hz: float,
    sweep_hz: float,
    fade_from: float,
    sample_rate: int,
) -> float:
    """Add what of one bubble lies in out[start:end]; -> its last output.

    sin(2 pi (f t + s t^2 / 2)) e^(-d t), sampled, is the imaginary part of a number that is turned by a step each
    sample, while the step itself is turned by a constant: two complex products instead of a sine and an exponential.
    """
    dt = 1 / sample_rate
    n_rings = min(end - start, int(-_INAUDIBLE / damping * sample_rate) + 1)
    n_fades = min(n_rings, int(np.ceil(sample_rate / frequency_hz)))
    is_over = start + n_rings <= 0  # before the sound begins: only its last output matters
    first = n_rings - 1 if is_over else max(0, -start)

    t = first * dt
    phase = 2 * np.pi * (frequency_hz * t + sweep_hz * t * t / 2)
    advance = 2 * np.pi * (frequency_hz * dt + sweep_hz * (t * dt + dt * dt / 2))
    position = amplitude * np.exp(complex(-damping * t, phase))
    step = np.exp(complex(-damping * dt, advance))
    turn = np.exp(complex(0.0, 2 * np.pi * sweep_hz * dt * dt))
    if is_over:
        share = min(1.0, first * frequency_hz * dt)
        return (1 - share) * fade_from + share * position.imag

    last = 0.0
    for n in range(first, n_fades):
        share = n * frequency_hz * dt
        last = (1 - share) * fade_from + share * position.imag
        out[start + n] += last
        position *= step
        step *= turn
    for n in range(max(first, n_fades), n_rings):
        last = position.imag
        out[start + n] += last
        position *= step
        step *= turn
    return last

"""The liquid engine's inner loop, compiled: exponentially dying chirps on a limited number of
voices."""

import numba
import numpy as np

# 100 dB below the bubble's own start: under the step of a 16-bit file for any clip in range.
_INAUDIBLE = np.log(1e-5)
_NEVER = -1e300  # the level of a voice that has not sounded yet
# Samples that are computed side by side; more makes long bubbles little faster, and short ones
# slower.
_LANES = 32


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

    starts: rising sample indices; those below 0 began before the sound does, and ring on into it. A
    new bubble takes the voice that is quietest at that moment. From the voice's last output it
    fades to its own sound over its first period, so that taking a voice does not click. ->
    [n_samples] float32
    """
    dt = 1 / sample_rate
    out = np.zeros(n_samples, np.float32)
    chirp = np.empty(n_samples + _LANES, np.float32)
    lanes = np.empty((4, _LANES))
    bubble_of_voice = np.full(n_voices, -1, np.int64)
    last_output = np.zeros(n_voices)  # what the voice's bubble fades from
    # Of the voice's bubble, as a logarithm, if it had rung at sample 0.
    level_at_0 = np.full(n_voices, _NEVER)
    fall = np.zeros(n_voices)  # of that level, per sample
    level = np.empty(n_voices)
    for bubble in range(len(starts)):
        now = starts[bubble]
        voice = _quietest(level_at_0, fall, now, level)
        taken = int(bubble_of_voice[voice])
        if taken >= 0:
            last_output[voice] = _ring_one(
                out, starts[taken], now, amplitude[taken], damping[taken], frequency_hz[taken], sweep_hz[taken],
                last_output[voice], dt, chirp, lanes,
            )  # fmt: skip
        bubble_of_voice[voice] = bubble
        fall[voice] = damping[bubble] * dt
        level_at_0[voice] = np.log(amplitude[bubble]) + fall[voice] * now
    for voice in range(n_voices):
        taken = int(bubble_of_voice[voice])
        if taken >= 0:
            _ring_one(
                out, starts[taken], n_samples, amplitude[taken], damping[taken], frequency_hz[taken], sweep_hz[taken],
                last_output[voice], dt, chirp, lanes,
            )  # fmt: skip
    return out


@numba.njit(cache=True, fastmath=True)
def _quietest(level_at_0: np.ndarray, fall: np.ndarray, now: int, level: np.ndarray) -> int:
    """Return the place of the quietest voice. level: room to work in. In two passes, since a
    compiler makes the search for a place wait at every step."""
    least = level_at_0[0] - fall[0] * now
    for voice in range(len(level)):
        level[voice] = level_at_0[voice] - fall[voice] * now
        least = min(least, level[voice])
    for voice in range(len(level)):
        if level[voice] == least:
            return voice
    return 0  # not reached


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
    dt: float,
    chirp: np.ndarray,
    lanes: np.ndarray,
) -> float:
    """Add what of one bubble lies in out[start:end]; -> its last output. chirp, lanes: room to work
    in."""
    n_rings = min(end - start, int(-_INAUDIBLE / (damping * dt)) + 1)
    if start + n_rings <= 0:  # over before the sound begins: only its last output matters
        t = (n_rings - 1) * dt
        share = min(1.0, t * frequency_hz)
        last = (
            amplitude
            * np.exp(-damping * t)
            * np.sin(2 * np.pi * (frequency_hz + sweep_hz * t / 2) * t)
        )
        return (1 - share) * fade_from + share * last

    first = max(0, -start)
    n = n_rings - first
    _chirp(
        chirp,
        n,
        first,
        amplitude,
        damping,
        frequency_hz,
        sweep_hz,
        dt,
        lanes[0],
        lanes[1],
        lanes[2],
        lanes[3],
    )
    for k in range(min(n, int(np.ceil(1 / (frequency_hz * dt))) - first)):
        share = (first + k) * frequency_hz * dt
        chirp[k] = (1 - share) * fade_from + share * chirp[k]
    for k in range(n):
        out[start + first + k] += chirp[k]
    return chirp[n - 1]


@numba.njit(cache=True, fastmath=True)
def _chirp(
    chirp: np.ndarray,
    n: int,
    first: int,
    amplitude: float,
    damping: float,
    frequency_hz: float,
    sweep_hz: float,
    dt: float,
    re: np.ndarray,
    im: np.ndarray,
    step_re: np.ndarray,
    step_im: np.ndarray,
) -> None:
    """Write amplitude e^(-d t) sin(2 pi (f t + s t^2 / 2)) from sample `first` on to chirp[:n], and
    up to _LANES more.

    It is the imaginary part of z(k) = z(0) e^(a k + b k^2) with a = -d dt + 2 pi i (f + s t) dt and
    b = pi i s dt^2. Each lane goes L samples at a time: z(k + L) = z(k) w(k) with w(k) = e^(a L + b
    L^2 + 2 b L k), and w(k + L) = w(k) e^(2 b L^2). So a sample is two complex products instead of
    a sine and an exponential, and no lane waits for another.
    """
    t = first * dt
    a = complex(-damping * dt, 2 * np.pi * (frequency_hz + sweep_hz * t) * dt)
    b = complex(0.0, np.pi * sweep_hz * dt * dt)
    z = amplitude * np.exp(
        complex(-damping * t, 2 * np.pi * (frequency_hz * t + sweep_hz * t * t / 2))
    )
    w = np.exp(a * _LANES + b * _LANES * _LANES)
    to_next_z, to_next_w, turn = np.exp(a + b), np.exp(2 * b * _LANES), np.exp(2 * b)
    for lane in range(_LANES):
        re[lane], im[lane], step_re[lane], step_im[lane] = z.real, z.imag, w.real, w.imag
        z *= to_next_z
        to_next_z *= turn
        w *= to_next_w
    turn = np.exp(2 * b * _LANES * _LANES)
    turn_re, turn_im = turn.real, turn.imag
    for begin in range(0, n, _LANES):
        for lane in range(_LANES):
            chirp[begin + lane] = im[lane]
            moved = re[lane] * step_re[lane] - im[lane] * step_im[lane]
            im[lane] = re[lane] * step_im[lane] + im[lane] * step_re[lane]
            re[lane] = moved
            turned = step_re[lane] * turn_re - step_im[lane] * turn_im
            step_im[lane] = step_re[lane] * turn_im + step_im[lane] * turn_re
            step_re[lane] = turned

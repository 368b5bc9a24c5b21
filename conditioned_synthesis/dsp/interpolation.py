"""Read sounds at any speed: band-limited interpolation with a windowed sinc (J. O. Smith, Digital
Audio Resampling, 2002)."""

import numba
import numpy as np

TAPS = 64
"""Number of samples that one is made of."""
EDGE = TAPS // 2
"""Number of samples that must lie before and after each position that is read."""
PHASES = 256
BANKS = 8
# Kaiser's: the stop band lies 80 dB down, and begins 1.8 kHz from where the pass band ends at 44.1
# kHz. With 256 phases and a line in between, the kernel is right within 95 dB.
_BETA = 8.0


def kernels_for(most_ratio: float) -> np.ndarray:
    """Return the kernels for speeds up to `most_ratio`, one bank for each part of that range.

    What plays r times faster would put frequencies above 1/r of the band beyond its end: the banks
    cut these off. The first bank, for speeds up to 1, cuts off at the end of the band, and returns
    the samples unchanged where they need no interpolation.

    Shape:
        -> [banks + 1, PHASES + 1, TAPS] float32
    """
    return np.stack([kernels_at(most_ratio ** (bank / BANKS)) for bank in range(BANKS + 1)])


def kernels_at(ratio: float) -> np.ndarray:
    """Return the kernels that cut off at 1/ratio of the band.

    Shape:
        -> [PHASES + 1, TAPS] float32
    """
    phases = np.arange(PHASES + 1) / PHASES
    distances = np.arange(TAPS)[None, :] - (EDGE - 1) - phases[:, None]
    within = np.clip(1 - (distances / EDGE) ** 2, 0, None)
    window = np.i0(_BETA * np.sqrt(within)) / np.i0(_BETA)
    kernels = np.sinc(distances / ratio) * window
    return (kernels / kernels.sum(axis=-1, keepdims=True)).astype(np.float32)


@numba.njit(cache=True)
def bank_of(step: float, ln_most_ratio: float) -> int:
    """Return the bank of kernels for this speed."""
    if step <= 1.0:
        return 0
    return min(BANKS, int(np.ceil(np.log(step) / ln_most_ratio * BANKS - 1e-9)))


@numba.njit(cache=True, fastmath={"contract", "reassoc", "nsz"})
def add_resampled(
    out: np.ndarray,
    sound: np.ndarray,
    position: float,
    step: float,
    gain: float,
    last_gain: float,
    kernels: np.ndarray,
) -> float:
    """Add a part of a sound, played at a speed, with a gain that runs in a straight line.

    Args:
        out: what it is added to.
        sound: 16-bit samples.
        position: where to begin, in samples; EDGE samples lie around all that is read.
        step: the speed; 2 is twice as fast and an octave higher.
        gain, last_gain: those before the first sample and at the last one.
        kernels: the bank for this speed.

    Returns: the position after the part.

    Shape:
        out: [channels, samples] float32
        sound: [channels, length] int16
        kernels: [PHASES + 1, TAPS] float32
    """
    n_channels, n_samples = out.shape
    slope = np.float32((last_gain - gain) / n_samples)
    now = np.float32(gain)
    if step == 1.0 and position == np.floor(position):
        start = int(position)
        for index in range(n_samples):
            now += slope
            for channel in range(n_channels):
                out[channel, index] += now * np.float32(sound[channel, start + index])
        return position + n_samples
    kernel = np.empty(TAPS, np.float32)
    for index in range(n_samples):
        now += slope
        at = position + index * step
        whole = int(at)
        place = (at - whole) * PHASES
        phase = int(place)
        between = np.float32(place - phase)
        lower, upper = kernels[phase], kernels[phase + 1]
        for tap in range(TAPS):
            kernel[tap] = lower[tap] + between * (upper[tap] - lower[tap])
        first = whole - (EDGE - 1)
        for channel in range(n_channels):
            samples = sound[channel, first : first + TAPS]
            total = np.float32(0)
            for tap in range(TAPS):
                total += kernel[tap] * np.float32(samples[tap])
            out[channel, index] += now * total
    return position + n_samples * step

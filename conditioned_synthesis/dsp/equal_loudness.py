"""How loud frequencies are to hearing."""

import numpy as np


def as_heard_db(frequencies_hz: np.ndarray) -> np.ndarray:
    """Return the gain of equal loudness at moderate levels in dB, 0 at 1 kHz (the A weighting of
    IEC 61672-1).

    >>> [round(float(gain), 1) for gain in as_heard_db(np.array([100.0, 1000.0, 10000.0]))]
    [-19.1, 0.0, -2.5]
    """
    squared = np.asarray(frequencies_hz, dtype=np.float64) ** 2
    gain = 12194.0**2 * squared**2
    gain /= (squared + 20.6**2) * (squared + 12194.0**2)
    gain /= np.sqrt((squared + 107.7**2) * (squared + 737.9**2))
    return 20 * np.log10(gain) + 2.0

"""How alike two renderings of a sound are."""

import numpy as np


def snr_db(expected: np.ndarray, found: np.ndarray) -> float:
    """Return the level of a sound over that of its difference from what was found, in dB."""
    assert expected.shape == found.shape
    return float(10 * np.log10(np.sum(expected**2) / np.sum((expected - found) ** 2)))

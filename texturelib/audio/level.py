"""The level of a sound."""

import numpy as np


def level_dbfs(samples: np.ndarray) -> float:
    """Return the level of samples of any shape in dBFS, without their mean; -inf for silence.

    The root mean square of the samples without their mean, since an offset (DC) is no sound: a
    square wave of full scale has 0 dBFS, a constant has -inf.
    """
    mean_square = float(np.var(samples, dtype=np.float64))
    # The mean of equal numbers may differ from them in the last digit; that difference is no
    # sound.
    return 10 * np.log10(mean_square) if mean_square > 1e-30 else -np.inf

"""Choose a few of many items, spread evenly."""

import numpy as np


def evenly_spread(n_items: int, most: int) -> np.ndarray:
    """Return the indices of at most `most` of `n_items` items, spread evenly, with the first and
    the last; all where there are no more.

    >>> evenly_spread(9, 3).tolist(), evenly_spread(2, 3).tolist()
    ([0, 4, 8], [0, 1])
    """
    return np.linspace(0, n_items - 1, min(n_items, most)).round().astype(int)

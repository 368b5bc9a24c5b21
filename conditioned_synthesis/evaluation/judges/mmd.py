"""The unbiased maximum mean discrepancy of two sets of embeddings."""

import math

import numpy as np
from scipy.spatial.distance import cdist, pdist


def unbiased_mmd(sounds: np.ndarray, reference: np.ndarray) -> float:
    """Return the unbiased estimate of the squared maximum mean discrepancy, NaN where a set has
    fewer than two members.

    0 in the mean for two sets of one kind, so it may be below 0 by chance. The kernel is Gaussian,
    as wide as the median distance of the reference's members (A. Gretton et al., "A kernel two-sample
    test", JMLR 13, 2012); of embeddings of sounds this is the kernel audio distance (Y. Chung et al.,
    "KAD: No more FAD!", 2025).

    Shape:
        sounds: [sounds, dimensions]
        reference: [others, dimensions]

    >>> members = np.random.default_rng(0).normal(size=(300, 3))
    >>> abs(unbiased_mmd(members[:150], members[150:])) < 0.01
    True
    >>> round(unbiased_mmd(members[:150] + 5, members[150:]), 1)
    1.1
    """
    if len(sounds) < 2 or len(reference) < 2:
        return math.nan
    width = float(np.median(pdist(reference)))
    if not width > 0:  # all alike
        return 0.0 if np.array_equal(sounds.mean(axis=0), reference.mean(axis=0)) else math.nan

    def kernel(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * (cdist(one, other) / width) ** 2)

    # A member is like itself whatever the sets are, so pairs of it are left out.
    own, others = (
        (kernel(each, each).sum() - len(each)) / (len(each) * (len(each) - 1))
        for each in (sounds, reference)
    )
    return float(own + others - 2 * kernel(sounds, reference).mean())

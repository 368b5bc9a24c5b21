"""Crossfades that keep the power, however much the two sounds have in common."""

import numba
import numpy as np

_LEAST = -0.5  # correlation: against each other, two sounds would need endless gains


@numba.njit(cache=True)
def crossfade_gains(share: float, correlation: float) -> tuple[float, float]:
    """Return the gains of the sound that ends and of the one that begins.

    Two sounds of power 1 with correlation c, added with gains a and b, have the power a**2 + b**2 +
    2 a b c. So gains that run from (1, 0) to (0, 1) are divided by its root, and the power stays 1:
    for c = 1 they are left as they are (equal gain), for c = 0 they are of equal power (M. Fink, M.
    Holters and U. Zoelzer, "Signal-matched power-complementary cross-fading and dry-wet mixing",
    DAFx 2016).

    Args:
        share: how much of the crossfade is over, 0..1.
        correlation: of the two sounds, -1..1; below -0.5 it counts as -0.5.

    >>> [[round(gain, 3) for gain in crossfade_gains(0.5, correlation)] for correlation in (1.0, 0.0)]
    [[0.5, 0.5], [0.707, 0.707]]
    """
    begins = np.sin(0.5 * np.pi * share) ** 2  # it begins and ends without a bend
    ends = 1.0 - begins
    power = ends**2 + begins**2 + 2.0 * ends * begins * max(correlation, _LEAST)
    louder = 1.0 / np.sqrt(power)
    return ends * louder, begins * louder

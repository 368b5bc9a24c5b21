"""Crossfades keep the power, whatever the two sounds have in common."""

import numpy as np
import pytest

from conditioned_synthesis.dsp.crossfade import crossfade_gains

SHARES = np.linspace(0, 1, 21)


@pytest.mark.parametrize("correlation", [-0.4, 0.0, 0.3, 1.0])
def test_the_power_stays(correlation):
    gains = np.array([crossfade_gains(share, correlation) for share in SHARES])
    power = (gains**2).sum(1) + 2 * correlation * gains.prod(1)
    assert np.allclose(power, 1)
    assert np.allclose(gains[[0, -1]], [[1, 0], [0, 1]])
    assert np.all(np.diff(gains[:, 0]) < 1e-9) or correlation < 0


def test_sounds_against_each_other_are_not_raised_without_end():
    assert max(crossfade_gains(0.5, -1.0)) == max(crossfade_gains(0.5, -0.5)) == pytest.approx(1)

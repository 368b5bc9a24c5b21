import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from conditioned_synthesis.dsp.mu_law import LEVELS, SILENCE, decode, encode


def test_silence_stays_silence():
    assert encode(np.zeros(3)).tolist() == [SILENCE] * 3
    assert decode(encode(np.zeros(3))).tolist() == [0.0] * 3


@given(st.floats(-1, 1))
def test_a_sample_comes_back_within_a_step_of_the_curve(sample):
    # A step is widest at full scale, where the curve's slope gives ln(256) / 127.5 of the sample
    # itself: 4.4 %.
    assert abs(decode(encode(np.array([sample])))[0] - sample) <= 0.023 * abs(sample) + 1e-4


def test_every_index_comes_back_as_itself():
    # The last one is full scale alone, which lies on the edge of the one before.
    indices = np.arange(LEVELS - 1)
    assert (encode(decode(indices)) == indices).all()


def test_what_is_louder_than_full_scale_is_held_there():
    assert encode(np.array([-3.0, 3.0])).tolist() == [0, 255]

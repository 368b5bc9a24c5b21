"""A control's slider and its physical values are one scale, read in two directions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from texturelib.controls import Control

sliders = st.floats(0, 1)


@st.composite
def controls(draw: st.DrawFn) -> Control:
    # Ranges as physics has them: a millionth to a million, the ends at least 1 % apart.
    low = draw(st.floats(1e-6, 1e6))
    ratio = draw(st.floats(1.01, 1e6))
    curve = draw(st.sampled_from(["linear", "exponential"]))
    offset = draw(st.floats(0, 10)) if curve == "exponential" else 0.0
    return Control("x", low + offset, low * ratio + offset, "unit", curve, offset)


@given(control=controls(), slider=sliders)
def test_to_slider_undoes_to_physical(control: Control, slider: float) -> None:
    # An offset of 10 on a value of 1e-6 eats 7 of a double's 16 digits, and a range of 1 % two more.
    tolerance = 1e-6 if control.offset else 1e-9

    assert control.to_slider(control.to_physical(slider)) == pytest.approx(slider, abs=tolerance)


@given(control=controls())
def test_the_ends_of_the_slider_are_the_ends_of_the_range(control: Control) -> None:
    assert control.to_physical(0) == pytest.approx(control.low, rel=1e-12)
    assert control.to_physical(1) == pytest.approx(control.high, rel=1e-12)


@given(control=controls(), one=sliders, other=sliders)
def test_more_slider_is_never_less_of_the_quantity(control: Control, one: float, other: float) -> None:
    low, high = control.to_physical(np.sort([one, other]))

    assert low <= high * (1 + 1e-12)


@given(control=controls().filter(lambda control: control.curve == "exponential"))
def test_equal_steps_of_an_exponential_slider_are_equal_ratios(control: Control) -> None:
    above_offset = control.to_physical(np.linspace(0, 1, 5)) - control.offset
    ratios = above_offset[1:] / above_offset[:-1]

    # 1e-6: the offset's subtraction, as above.
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-6 if control.offset else 1e-9)


def test_any_shape_keeps_its_shape() -> None:
    control = Control("speed", 1.0, 30.0, "m/s")

    assert control.to_physical(np.zeros((2, 3))).shape == (2, 3)
    assert control.to_slider(np.ones((4,))).shape == (4,)

"""A control's slider and its physical values are one scale, read in two directions."""

import dataclasses
import json

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
    # An offset of 10 on a value of 1e-6 eats 7 of a double's 16 digits, and a range of 1 % two
    # more.
    tolerance = 1e-6 if control.offset else 1e-9

    assert control.to_slider(control.to_physical(slider)) == pytest.approx(slider, abs=tolerance)


@given(control=controls())
def test_the_ends_of_the_slider_are_the_ends_of_the_range(control: Control) -> None:
    assert control.to_physical(0) == pytest.approx(control.low, rel=1e-12)
    assert control.to_physical(1) == pytest.approx(control.high, rel=1e-12)


@given(control=controls(), one=sliders, other=sliders)
def test_more_slider_is_never_less_of_the_quantity(
    control: Control, one: float, other: float
) -> None:
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


RATE = Control("rate", 1.0, 100.0, "drops/s", "exponential", laws={"slow_down": -1, "gain": 0})


@given(
    control=controls(),
    slider=sliders,
    factor=st.floats(1.0, 4.0),
    exponent=st.sampled_from([-1.0, 0.5, 1.0]),
)
def test_a_moved_slider_means_the_changed_value(
    control: Control, slider: float, factor: float, exponent: float
) -> None:
    control = dataclasses.replace(control, laws={"slow_down": exponent})
    wanted = control.to_physical(slider) * factor**exponent

    moved = control.moved("slow_down", factor, slider)

    if control.curve == "exponential" and wanted <= control.offset * (1 + 1e-12):
        assert np.isnan(moved) or wanted == pytest.approx(control.offset)
    else:
        # 1e-6: the offset's subtraction, as above.
        assert control.to_physical(moved) == pytest.approx(
            wanted, rel=1e-6 if control.offset else 1e-9
        )


@given(control=controls(), factor=st.floats(1.1, 4.0), slider=sliders)
def test_without_an_offset_the_slope_is_what_the_slider_moves_by(
    control: Control, factor: float, slider: float
) -> None:
    control = dataclasses.replace(control, laws={"mixing": 2.0}, offset=0.0)

    slope = control.slope("mixing")

    if control.curve == "linear":
        assert slope is None  # it depends on where the slider is
    else:
        assert slope is not None
        assert control.moved("mixing", factor, slider) - slider == pytest.approx(
            slope * np.log(factor), rel=1e-6
        )


def test_what_does_not_change_does_not_move_on_any_slider() -> None:
    level = Control("level", -60.0, -20.0, "dB", laws={"gain": 0})

    assert level.slope("gain") == 0
    assert level.moved("gain", 2.0, np.array([0.0, 0.3])) == pytest.approx([0.0, 0.3])


def test_a_law_that_is_not_declared_is_not_known() -> None:
    assert RATE.slope("mixing") is None
    with pytest.raises(KeyError):
        RATE.moved("mixing", 2.0, 0.5)


def test_a_value_below_the_offset_has_no_slider_and_its_neighbours_have() -> None:
    radius = Control("radius", 0.2, 100.0, "mm", "exponential", 0.15, laws={"slow_down": 1})

    assert np.isnan(radius.moved("slow_down", 0.5, np.array([0.0, 0.5]))).tolist() == [True, False]


def test_factors_and_sliders_of_any_shape_go_together() -> None:
    assert RATE.moved("slow_down", np.ones((3, 1)), np.zeros(2)).shape == (3, 2)


def test_a_control_with_laws_is_the_same_after_it_was_written_to_a_file_and_can_be_a_key() -> None:
    assert Control.from_description(json.loads(json.dumps(RATE.describe()))) == RATE
    assert {RATE: 1}[dataclasses.replace(RATE)] == 1


def test_a_description_from_before_there_were_laws_has_none() -> None:
    description = RATE.describe()
    del description["laws"]

    assert Control.from_description(description).laws == {}
